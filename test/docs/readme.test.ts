/** Every block of the README runs, in order, in one shell, against a gateway started as it says. Both languages hold the same blocks. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pathWithChela, script, shell } from "../kit/blocks.ts";
import { runCli } from "../kit/cli.ts";
import { type Fence, fences } from "../kit/fences.ts";
import { startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";

const root = join(import.meta.dirname, "../..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const english = fences(read("README.md"));
const chinese = fences(read("README.zh-CN.md"));

describe("README", () => {
  it("runs from the first block to the last", async () => {
    const home = tempDir("home");
    const stateDir = join(home, ".chela");
    mkdirSync(stateDir, { mode: 0o700 });
    const gateway = await startGateway({ stateDir });
    const text = script(english).replaceAll("http://127.0.0.1:18790", gateway.url);
    const result = await shell(text, home, { HOME: home, PATH: pathWithChela(), CHELA_DISCOVERY: "off" });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('"hello":"world"');
    expect(result.stdout).toContain('"hello":"Ada"');
    expect(result.stdout).toContain("Hello from the terminal");
    expect(result.stdout).toContain("data: [DONE]");
  }, 120_000);

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
    const facts = (blocks: readonly Fence[]) =>
      blocks.map(({ language, info, text }) => ({ language, info, text: uncommented(text) }));
    expect(facts(chinese)).toEqual(facts(english));
  });
});

/** Comments and words said to the model may differ in translation. */
function uncommented(text: string): string {
  return text.replace(/^\s*\/\/.*$/gm, "").replace(/[ \t]+/g, " ");
}
