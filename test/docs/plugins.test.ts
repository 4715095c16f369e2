/** Every block of the plugin guide runs, in order, in one shell, against a running gateway; its TypeScript type-checks. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { distFile } from "../kit/binary.ts";
import { pathWithChela, script, shell } from "../kit/blocks.ts";
import { fences } from "../kit/fences.ts";
import { startGateway } from "../kit/gateway.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

const root = join(import.meta.dirname, "../..");
const blocks = fences(readFileSync(join(root, "docs/plugins.md"), "utf8"));

describe("the plugin guide", () => {
  it("runs from the first block to the last", { timeout: 180_000 }, async () => {
    const home = tempDir("home");
    const stateDir = join(home, ".chela");
    mkdirSync(stateDir, { mode: 0o700 });
    const gateway = await startGateway({ stateDir });
    const text = script(blocks).replaceAll("http://127.0.0.1:18790", gateway.url);
    const result = await shell(text, home, { HOME: home, PATH: pathWithChela(), CHELA_DISCOVERY: "off" });
    expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
    for (const said of [
      "Hello, Ada!",
      "Hello, Bo!",
      "Hello, Cy!",
      "Salut, Ada!",
      '"number":1',
      'data: {"text":"buy milk"}',
      "needs forecast >=1.0.0 <3.0.0",
      "x-quiet: yes",
      "note_add is not allowed here",
    ]) {
      expect(result.stdout).toContain(said);
    }
    expect(result.stdout.match(/# fail 0/g)).toHaveLength(2);
  });

  it("has no block that is only looked at", () => {
    for (const { language, info, line } of blocks) {
      expect(language === "bash" || info.file !== undefined, `the block in line ${line}`).toBe(true);
    }
  });

  it("type-checks against the SDK as it is delivered", { timeout: 60_000 }, async () => {
    const folder = tempDir("types");
    const sources = blocks.filter(({ language }) => language === "ts");
    writeTree(folder, Object.fromEntries(sources.map(({ info, text }) => [info.file ?? "", text])));
    const compilerOptions = {
      target: "ES2023",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
    };
    const packageJson = JSON.stringify({ type: "module" });
    writeTree(folder, {
      "tsconfig.json": JSON.stringify({ compilerOptions, include: ["*/*.ts"] }),
      "package.json": packageJson,
    });
    mkdirSync(join(folder, "node_modules/@chela"), { recursive: true });
    symlinkSync(dirname(distFile("sdk/index.js")), join(folder, "node_modules/@chela/sdk"));
    symlinkSync(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const done = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(done.stdout).toBe("");
    expect(sources.length).toBeGreaterThanOrEqual(5);
  });
});
