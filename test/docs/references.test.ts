/** The references below docs/reference/ are what `npm run docs` writes now: to the byte, on any machine, on any day. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { distFile } from "../kit/binary.ts";
import { tempDir } from "../kit/temp.ts";

const root = join(import.meta.dirname, "../..");
const committed = join(root, "docs/reference");

it("is up to date; if not: npm run docs", { timeout: 120_000 }, async () => {
  distFile("builtins.json");
  const folder = tempDir("reference");
  const home = tempDir("home");
  const env = { PATH: process.env.PATH, HOME: home, TZ: "Pacific/Auckland", LANG: "C", OPENAI_API_KEY: "sk-test" };
  await promisify(execFile)(process.execPath, [join(root, "docs/generate.mjs"), "--out", folder], { cwd: home, env });
  const names = readdirSync(folder).sort();
  expect(readdirSync(committed).sort()).toEqual(names);
  for (const name of names) {
    const text = readFileSync(join(folder, name), "utf8");
    expect(readFileSync(join(committed, name), "utf8"), `docs/reference/${name} is stale: npm run docs`).toBe(text);
    expect(text).not.toMatch(/\/(?:tmp|home|root|Users)\//);
  }
});

it("says of every key of the config what it is for", () => {
  const rows = readFileSync(join(committed, "config.md"), "utf8").split("\n");
  expect(rows.filter((row) => /^\| `.*\|\s*\|$/.test(row))).toEqual([]);
});
