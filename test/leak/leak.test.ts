/** The leak cases, each in a process of its own whose collector can be called. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { distFile } from "../kit/binary.ts";

const cases = readdirSync(join(import.meta.dirname, "cases"));

const most = 300_000;

it.each(cases)("%s", { timeout: most }, async (name) => {
  distFile("sdk/testing.js");
  const command = ["--expose-gc", join(import.meta.dirname, "run.mjs"), name];
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: most });
  expect(stdout).toMatch(/^ok .*\nno leaks\n$/);
});
