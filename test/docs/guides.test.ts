/**
 * The guides below docs/: every block runs, is checked or type-checks; both languages hold the same blocks; every link and
 * every file of the project that a guide names is there. A new guide is found by itself.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { distFile } from "../kit/binary.ts";
import { runBlocks, sameInAnyLanguage } from "../kit/blocks.ts";
import { runCli } from "../kit/cli.ts";
import { type Fence, fences } from "../kit/fences.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

const root = join(import.meta.dirname, "../..");
const docs = join(root, "docs");
const read = (path: string) => readFileSync(join(root, path), "utf8");

const all = readdirSync(docs, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
  .map((entry) => relative(docs, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
  .sort();
const english = all.filter((name) => !name.includes("/"));
const translated = english.filter((name) => name !== "dependencies.md");
const pages = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", ...all.map((name) => `docs/${name}`)];
const blocksOf = (name: string) => fences(read(`docs/${name}`));
const runs = ({ language, info }: Fence) => language === "bash" && !("ci" in info);

/** What a run of the guide must have printed: the claims of its text that an exit code does not prove. */
const says: Readonly<Record<string, readonly string[]>> = {
  "operations.md": [
    "All is well.",
    "exit code 1",
    "chela_ready 1",
    "answered 204 in",
    '"message":"sentinel: this is a test of the webhook"',
    '"gateway_version"',
    "unauthorized",
    "308 http://127.0.0.1:",
    "10 faults within 60 s",
    "safe mode was asked for",
    '"problems": []',
    "remember this",
  ],
  "configuration.md": [
    "gateway.auth.token refers to MY_TOKEN, which is not set",
    "gateway.port  restart-gateway  gateway",
    "waits for a restart: logging.dir",
    "refused, exit code 1",
    "Config trouble",
    "the last good config still runs",
    '+    "retention_days": 14',
    '"api_key":"__CHELA_REDACTED__"',
    "somebody was faster",
    '"applied":["logging.level"]',
    '"code":"CONFIG_CONFLICT"',
    '"token":"__CHELA_REDACTED__"},"dirty":true',
    '"committed":true',
  ],
  "providers.md": [
    "local/llama4 answers by default.",
    "UPSTREAM_UNREACHABLE",
    "exit code 1",
    '"token_masked":"sk-d***6789"',
    '"cleared":true',
    "ada@acme.example",
    "-rw-------",
  ],
  "agent.md": ["Good morning", "heard later", "refused, exit code 1", '"id": "poet"', "buy milk and bread"],
  "workspace.md": [
    '"files":["AGENTS.md","BOOTSTRAP.md"',
    "# Who you are",
    '"content":"Ada drinks tea."',
    '"path":"memory/people.md","line":1',
    '"code":"FILE_CHANGED"',
    '"name":"list.txt"',
    "buy milk",
  ],
  "mcp.md": [
    "Added greeter.",
    "greeter answered in",
    "Hello, Ada!",
    "Hello, Bo!",
    "chela://workspace/SOUL.md",
    "401",
    "Removed greeter.",
  ],
  "sessions.md": [
    "The deployment",
    "#1 user: How do we deploy the gateway?",
    '"content":"我们明天部署网关"',
    "team:plan is called archive:plan now.",
    "# Done",
    "To import: 4 messages of team:plan; there already: 0",
    "Imported: 4 messages of team:plan; there already: 0",
    "Imported: 0 messages of team:plan; there already: 4",
    "unknown",
    ">= $",
  ],
  "relay.md": ["400", "channels"],
  "tools.md": [
    "Wrote 9 bytes to notes/plan.txt.",
    "exec is not there",
    "nobody is there to ask",
    "The tool exec answered: approved",
    '"name":"files_read"',
    '"outcome": "denied"',
  ],
  "plugins.md": [
    "Hello, Ada!",
    "Hello, Bo!",
    "Hello, Cy!",
    "Salut, Ada!",
    '"number":1',
    'data: {"text":"buy milk"}',
    "needs forecast >=1.0.0 <3.0.0",
    "x-quiet: yes",
    "note_add is not allowed here",
    '"id":"counter"',
  ],
};

describe("the guides", () => {
  it.each(english.filter((name) => blocksOf(name).some(runs)))(
    "%s runs from the first block to the last",
    {
      timeout: 180_000,
    },
    async (name) => {
      const result = await runBlocks(blocksOf(name));
      expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
      for (const said of says[name] ?? []) expect(result.stdout).toContain(said);
      expect(result.stdout).not.toMatch(/# fail [1-9]/);
    },
  );

  it("have no block that is only looked at", () => {
    const prose = ["text", "ini"];
    const idle = all.flatMap((name) =>
      blocksOf(name)
        .filter((block) => !runs(block) && block.info.file === undefined)
        .filter(({ language, info }) => !prose.includes(language) && !(language === "json" && "config" in info))
        .map(({ language, line }) => `${name}:${line} ${language}`),
    );
    expect(idle).toEqual([]);
  });

  it("show configs that are valid", { timeout: 60_000 }, async () => {
    const configs = english.flatMap(blocksOf).filter(({ language, info }) => language === "json" && "config" in info);
    expect(configs.length).toBeGreaterThan(0);
    for (const { text } of configs) {
      const stateDir = tempDir("config");
      writeFileSync(join(stateDir, "config.json"), text);
      const result = await runCli(["config", "check", "--json"], {
        env: { CHELA_STATE_DIR: stateDir, ...named(text) },
      });
      expect(result.json(), text).toMatchObject({ ok: true, problems: [] });
    }
  });

  it("hold TypeScript that type-checks against the SDK as it is delivered", { timeout: 60_000 }, async () => {
    const sources = english.flatMap(blocksOf).filter(({ language }) => language === "ts" || language === "js");
    expect(sources.length).toBeGreaterThanOrEqual(5);
    expect(await typeCheck(sources)).toBe("");
  });

  it.each(translated)("%s has the same blocks in both languages", (name) => {
    expect(sameInAnyLanguage(blocksOf(`zh-CN/${name}`))).toEqual(sameInAnyLanguage(blocksOf(name)));
  });

  it.each(translated)("%s has the same sections in both languages", (name) => {
    const levels = (text: string) => (text.match(/^#+ /gm) ?? []).map((mark) => mark.length - 1);
    expect(levels(read(`docs/zh-CN/${name}`))).toEqual(levels(read(`docs/${name}`)));
  });
});

describe("the pages", () => {
  it.each(pages)("%s links to what is there", (page) => {
    const links = [...prose(read(page)).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, target]) => target as string);
    expect(links.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  it.each(pages)("%s names files of the project that exist", (page) => {
    const names = [...prose(read(page)).matchAll(/`((?:sdk|kernel|plugins|test|docs)\/[\w./-]+)`/g)].map(
      ([, name]) => name as string,
    );
    // The lock file lies in the state dir.
    expect(names.filter((name) => name !== "plugins/lock.json" && !existsSync(join(root, name)))).toEqual([]);
  });
});

function prose(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "");
}

/** A value for every `${NAME}`. */
function named(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name]) => [name, "example-0123456789"]));
}

async function typeCheck(sources: readonly Fence[]): Promise<string> {
  const folder = tempDir("types");
  const compilerOptions = {
    target: "ES2023",
    module: "NodeNext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
    checkJs: true,
  };
  writeTree(folder, {
    ...Object.fromEntries(sources.map(({ info, text }) => [info.file ?? "", text])),
    "tsconfig.json": JSON.stringify({ compilerOptions, include: ["*/*.ts", "*/panel/*.js"] }),
    "package.json": JSON.stringify({ type: "module" }),
  });
  mkdirSync(join(folder, "node_modules/@chela"), { recursive: true });
  symlinkSync(dirname(distFile("sdk/index.js")), join(folder, "node_modules/@chela/sdk"));
  symlinkSync(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const done = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
    (error: { stdout: string }) => error,
  );
  return done.stdout;
}
