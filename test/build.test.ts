/** What the build makes: complete, reproducible, free of the builder's paths, and usable by a plugin author alone. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { distFile } from "./kit/binary.ts";
import { root } from "./kit/sources.ts";
import { tempDir, writeTree } from "./kit/temp.ts";

const run = promisify(execFile);

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** The files themselves and all they import at once. */
function loadedBy(files: readonly string[]): string[] {
  const loaded = new Set(files);
  for (const file of loaded) {
    for (const [, url] of readFileSync(file, "utf8").matchAll(/\b(?:from|import)"(\.[^"]+\.js)"/g))
      loaded.add(join(dirname(file), url as string));
  }
  return [...loaded];
}

/** What a start with every built-in plugin on loads before it is ready. */
function started(): { base: string[]; plugins: string[]; all: string[] } {
  const boot = readdirSync(distFile("chunks")).filter((name) => /^boot-/.test(name));
  const base = loadedBy([distFile("chela.js"), ...boot.map((name) => distFile(`chunks/${name}`))]);
  const plugins = readdirSync(distFile("plugins")).map((name) => distFile(`plugins/${name}`));
  return { base, plugins, all: loadedBy([...base, ...plugins]) };
}

describe("the build", () => {
  it("makes the same bytes again", async () => {
    const dist = dirname(distFile("chela.js"));
    const before = everyFile(dist).map((file) => `${file} ${sha256(file)}`);
    const { stdout } = await run(process.execPath, [join(root, "kernel/build.mjs")], { cwd: root });
    expect(stdout).toMatch(/ 0 files changed\n$/);
    expect(everyFile(dist).map((file) => `${file} ${sha256(file)}`)).toEqual(before);
  });

  it("holds no path of the machine it was built on", () => {
    const dist = dirname(distFile("chela.js"));
    const leaks = everyFile(dist).filter((file) => readFileSync(file, "utf8").includes(root));
    expect(leaks).toEqual([]);
  });

  it("gives an executable binary and a manifest with a matching hash for every plugin folder", () => {
    expect(statSync(distFile("chela.js")).mode & 0o111).toBe(0o111);
    const builtins = JSON.parse(readFileSync(distFile("builtins.json"), "utf8")) as {
      id: string;
      file: string;
      hash: string;
    }[];
    const folders = readdirSync(join(root, "plugins"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(builtins.map(({ id }) => id)).toEqual(folders.map(({ name }) => name).sort());
    for (const { file, hash } of builtins) expect(sha256(distFile(file)), file).toBe(hash);
  });

  it("loads few files to start, and no parser of command lines", () => {
    const boot = readdirSync(distFile("chunks")).filter((name) => /^boot-/.test(name));
    const files = loadedBy([distFile("chela.js"), ...boot.map((name) => distFile(`chunks/${name}`))]);
    expect(boot).toHaveLength(1);
    expect(files.length).toBeLessThanOrEqual(8);
    expect(files.filter((file) => readFileSync(file, "utf8").includes("node_modules/commander"))).toEqual([]);
  });

  it("starts the built-in plugins with one file for all that they share", () => {
    const { base, plugins, all } = started();
    const more = all.filter((file) => !base.includes(file) && !plugins.includes(file));
    expect(more.map((file) => basename(file))).toEqual([expect.stringMatching(/^stage\d/)]);
  });

  it.each([
    ["api-config", "config-body", "doctor"],
    ["chat", "running"],
    ["metrics", "scrape"],
    ["openai", "complete", "respond"],
    ["providers", "asking"],
    ["sentinel", "sentinel"],
    ["store", "integrity"],
    ["usage", "asked", "reader"],
    ["weixin", "office", "qr"],
  ])("starts %s without what only a request needs", (plugin, ...late) => {
    const text = readFileSync(distFile(`plugins/${plugin}.js`), "utf8");
    const names = started().all.map((file) => basename(file).replace(/-[A-Z0-9]{8}\.js$/, ""));
    for (const part of late) {
      expect(text).toMatch(new RegExp(`\\bimport\\("\\.\\./chunks/${part}-[A-Z0-9]{8}\\.js"\\)`));
      expect(names).not.toContain(part);
    }
  });

  it("starts without typebox, and without a thread for the log", () => {
    const text = started().all.map((file) => readFileSync(file, "utf8"));
    for (const foreign of ["~kind", "node_modules/thread-stream", "node_modules/ajv", "node_modules/undici"])
      expect(
        text.filter((code) => code.includes(foreign)),
        foreign,
      ).toEqual([]);
  });

  it("reads at most 856 kB to start", () => {
    const bytes = started().all.reduce((sum, file) => sum + statSync(file).size, 0);
    expect(bytes).toBeLessThan(856_000);
  });

  it("makes a `require` for nobody who asks for none", () => {
    const idle = started().all.filter((file) => {
      const text = readFileSync(file, "utf8");
      return text.includes("createRequire") && !/\b(?:typeof require|require\d*\()/.test(text);
    });
    expect(idle).toEqual([]);
  });

  it("names the licence of every package inside", () => {
    const notices = readFileSync(distFile("THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["tapable", "polka", "ws", "ajv", "pino", "typebox", "undici"]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d.*\\(`, "m"));
    }
  });
});

const plugin = `
import { definePlugin, GatewayError, need, store, Type } from "@chela/sdk";
export default definePlugin({
  id: "x", version: "1.0.0", host: "^1.0.0",
  config: Type.Object({ size: Type.Integer({ default: 4 }), key: Type.Optional(Type.String({ secret: true })) }),
  hot: ["size"],
  needs: { store: need(store, "^1.0.0") },
  async setup(ctx) {
    const size: number = ctx.config.size;
    // @ts-expect-error it is a number
    const wrong: string = ctx.config.size;
    await ctx.use.store.run("SELECT ?", size);
    // @ts-expect-error not declared in needs
    ctx.use.nothing;
    // @ts-expect-error access is mandatory
    ctx.route({ method: "GET", path: "/y", handler: () => wrong });
    ctx.route({
      method: "GET", path: "/x", access: "read", query: Type.Object({ q: Type.String() }),
      handler: ({ query }) => { if (query.q === "") throw new GatewayError("X", 400, "q"); return query.q.toUpperCase(); },
    });
  },
});
`;

const test = `
import { startHost } from "@chela/sdk/testing";
import plugin from "./plugin.js";
const host = await startHost({ plugins: [plugin] });
const status: number = (await host.request("/x?q=1")).status;
export { status };
`;

describe("the SDK for a plugin author", () => {
  it("has all of typebox, of which the built-in plugins get what they call", async () => {
    const { Type } = (await import(distFile("sdk/index.js"))) as typeof import("typebox");
    expect(Type.Partial(Type.Object({ a: Type.String() })).properties).toEqual({ a: { type: "string" } });
  });

  it("type-checks in a project that has nothing else, library files included", async () => {
    const project = tempDir("author");
    cpSync(dirname(distFile("sdk/index.js")), join(project, "node_modules/@chela/sdk"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      cpSync(join(root, "node_modules", name), join(project, "node_modules", name), { recursive: true });
    }
    const compilerOptions = {
      strict: true,
      module: "NodeNext",
      target: "ES2023",
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
    };
    writeTree(project, {
      "package.json": JSON.stringify({ type: "module" }),
      "tsconfig.json": JSON.stringify({ compilerOptions }),
      "plugin.ts": plugin,
      "test.ts": test,
    });
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", project]).catch((error) => error as { stdout: string });
    expect(stdout).toBe("");
  });
});
