/** Every block of the README runs, in order, in one shell, against a gateway started as it says. Both languages hold the same blocks. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runBlocks, sameInAnyLanguage } from "../kit/blocks.ts";
import { runCli } from "../kit/cli.ts";
import { fences } from "../kit/fences.ts";
import { tempDir } from "../kit/temp.ts";

const root = join(import.meta.dirname, "../..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const english = fences(read("README.md"));
const chinese = fences(read("README.zh-CN.md"));

describe("README", () => {
  it("runs from the first block to the last", { timeout: 120_000 }, async () => {
    const result = await runBlocks(english);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('"hello":"world"');
    expect(result.stdout).toContain('"hello":"Ada"');
    expect(result.stdout).toContain("Hello from the terminal");
    expect(result.stdout).toContain("data: [DONE]");
  });

  it("names the commands that the checks of the project run", () => {
    const ci = english.filter((block) => "ci" in block.info).map(({ text }) => text);
    expect(ci).toEqual(["npm ci && npm start", "npm test"]);
    expect(read(".ci/run")).toContain("npm ci");
    expect(read(".ci/run")).toContain("npm test");
  });

  it("shows a config that is valid", async () => {
    const blocks = english.filter(({ language, info }) => language === "json" && "config" in info);
    expect(blocks.length).toBeGreaterThan(0);
    for (const { text } of blocks) {
      const stateDir = tempDir("config");
      writeFileSync(join(stateDir, "config.json"), text);
      const result = await runCli(["config", "check", "--json"], {
        env: { CHELA_STATE_DIR: stateDir, OPENAI_API_KEY: "sk-x" },
      });
      expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
    }
  });

  it("holds the same blocks in both languages", () => {
    expect(sameInAnyLanguage(chinese)).toEqual(sameInAnyLanguage(english));
  });
});
