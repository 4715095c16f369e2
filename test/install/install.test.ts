import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InstallOptions, installPlugin, revertPlugin, uninstallPlugin } from "../../kernel/plugins/install.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { buildSdk, installOptions, type PluginShape, pluginFiles, pluginFolder, tarball } from "./kit.ts";

let sdk: Awaited<ReturnType<typeof buildSdk>>;
beforeAll(async () => {
  sdk = await buildSdk();
});
afterAll(() => sdk.remove());

interface LockView {
  plugins: Partial<
    Record<string, { version: string; integrity: string; source: string; folder: string; installedAt: string }>
  >;
  retired: string[];
}

function lockOf({ stateDir }: InstallOptions): LockView {
  return JSON.parse(readFileSync(join(stateDir, "plugins/lock.json"), "utf8")) as LockView;
}

function folderOf(options: InstallOptions, id = "weather"): string {
  return join(options.stateDir, "plugins", lockOf(options).plugins[id]!.folder);
}

/** Names below `plugins/` but the lock file and the kept manifests. */
function leftovers({ stateDir }: InstallOptions): string[] {
  const root = join(stateDir, "plugins");
  if (!existsSync(root)) return [];
  return readdirSync(root).filter((name) => !["lock.json", ".manifests", "node_modules"].includes(name));
}

describe("installing", () => {
  it("takes a folder, records its integrity and links the host's SDK", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder();
    const installed = await installPlugin(source, options);
    expect(installed).toMatchObject({ id: "weather", version: "1.0.0", previous: null, changed: true });
    expect(installed.integrity).toMatch(/^sha512-[\w+/]{86}==$/);
    const record = lockOf(options).plugins.weather!;
    expect(record).toMatchObject({ version: "1.0.0", integrity: installed.integrity, source });
    expect(Number.isNaN(Date.parse(record.installedAt))).toBe(false);
    const link = join(options.stateDir, "plugins/node_modules/@chela/sdk");
    expect(realpathSync(link)).toBe(realpathSync(sdk.path));
    expect(existsSync(join(folderOf(options), "node_modules"))).toBe(false);
    expect(leftovers(options)).toEqual(["weather"]);
    expect(lstatSync(join(options.stateDir, "plugins/lock.json")).mode & 0o777).toBe(0o600);
  });

  it.each(["package", "weather-1.0.0", "."])("takes a tarball whose files lie in %s/", async (wrapper) => {
    const options = installOptions(sdk.path);
    const installed = await installPlugin(tarball(pluginFiles(), wrapper), options);
    expect(installed).toMatchObject({ id: "weather", changed: true });
    expect(existsSync(join(folderOf(options), "index.js"))).toBe(true);
  });

  it("says so when the same content is installed again, from wherever", async () => {
    const options = installOptions(sdk.path);
    const first = await installPlugin(pluginFolder(), options);
    const again = await installPlugin(tarball(pluginFiles()), options);
    expect(again).toEqual({ ...first, previous: "1.0.0", changed: false });
  });

  it("upgrades beside the old folder, which stays for a running gateway", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const before = folderOf(options);
    const installed = await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    expect(installed).toMatchObject({ version: "1.1.0", previous: "1.0.0", changed: true });
    expect(folderOf(options)).not.toBe(before);
    expect(existsSync(before)).toBe(true);
    expect(lockOf(options).retired).toHaveLength(1);
  });

  it("goes back to an older version, taking over the folder that is still there", async () => {
    const options = installOptions(sdk.path);
    const old = pluginFolder();
    await installPlugin(old, options);
    const before = folderOf(options);
    await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    expect(await installPlugin(old, options)).toMatchObject({ version: "1.0.0", previous: "1.1.0", changed: true });
    expect(folderOf(options)).toBe(before);
  });

  it("replaces a damaged install of the same content", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder();
    const first = await installPlugin(source, options);
    const damaged = folderOf(options);
    writeFileSync(join(damaged, "index.js"), "export default 1;");
    const second = await installPlugin(source, options);
    expect(second).toMatchObject({ integrity: first.integrity, changed: true });
    expect(folderOf(options)).not.toBe(damaged);
    expect(readFileSync(join(folderOf(options), "index.js"), "utf8")).toContain("definePlugin");
  });

  it("compiles a TypeScript entry and its own files, and nothing else", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder({
      pkg: { exports: { ".": { types: "./index.ts", default: "./index.ts" } } },
      files: {
        "index.ts": `import { definePlugin } from "@chela/sdk";\nimport { half } from "./lib/half.ts";\nimport data from "./lib/data.json" with { type: "json" };\nconst n: number = half(data.n);\nexport default definePlugin({ id: "weather", version: "1.0.0", host: "^1.0.0", about: \`half is \${n}\`, setup() {} });\n`,
        "lib/half.ts": "export function half(n: number): number { return n / 2; }\n",
        "lib/data.json": '{ "n": 42 }',
        "tsconfig.json": '{ "extends": "../../nowhere.json" }',
      },
    });
    await installPlugin(source, options);
    const out = readFileSync(join(folderOf(options), "index.chela.mjs"), "utf8");
    expect(out).toContain('from "@chela/sdk"');
    expect(out).not.toContain("brand");
    expect(existsSync(join(source, "index.chela.mjs"))).toBe(false);
  });

  it("compiles several at once and leaves no compiler running", async () => {
    const shapes = ["a", "b", "c", "d", "e"].map((id) => ({
      id,
      pkg: { exports: "./index.ts" },
      files: { "index.ts": `export default { id: "${id}", version: "1.0.0" as string, host: "^1.0.0", setup() {} };` },
    }));
    const options = installOptions(sdk.path);
    await Promise.all(shapes.map((shape) => installPlugin(pluginFolder(shape), options)));
    expect(Object.keys(lockOf(options).plugins)).toHaveLength(5);
  });

  it("names file and line when the TypeScript does not compile", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder({
      pkg: { exports: "./index.ts" },
      files: { "index.ts": "export default {\n  setup( {" },
    });
    await expect(installPlugin(source, options)).rejects.toMatchObject({
      code: "PLUGIN_COMPILE",
      status: 422,
      message: expect.stringContaining("index.ts:2"),
    });
    expect(leftovers(options)).toEqual([]);
  });

  it.each(["relative", "absolute", "by the imports of package.json"])(
    "does not compile files from outside the folder into the plugin: %s",
    async (way) => {
      const options = installOptions(sdk.path);
      const secret = tempDir("secret");
      writeTree(secret, { "secret.json": '{ "key": "hunter2" }' });
      const up = `${"../".repeat(20)}${secret.slice(1)}/secret.json`;
      const from = way === "relative" ? up : way === "absolute" ? `${secret}/secret.json` : "#secret";
      const source = pluginFolder({
        pkg: { exports: "./index.ts", imports: { "#secret": `./${up}` } },
        files: { "index.ts": `import s from "${from}";\nexport default s;` },
      });
      await expect(installPlugin(source, options)).rejects.toMatchObject({ code: "PLUGIN_COMPILE" });
      expect(leftovers(options)).toEqual([]);
    },
  );

  const forms: [string, PluginShape][] = [
    [
      "engines.chela, its id from its name",
      { name: "@me/weather", pkg: { chela: undefined, engines: { node: ">=20", chela: ">=1.0.0 <2" } } },
    ],
    ["main", { pkg: { exports: undefined, main: "index.js" } }],
    [
      "conditions",
      {
        pkg: {
          exports: {
            "./package.json": "./package.json",
            ".": { types: "./x.d.ts", import: { default: "./index.js" } },
          },
        },
      },
    ],
    [
      "imports of its own",
      {
        pkg: { exports: "./src/main.mts", imports: { "#word": "./src/word.ts" } },
        files: {
          "src/main.mts":
            'import { word } from "#word"; export default { id: "weather", version: "1.0.0", host: "1.x", about: word, setup() {} };',
          "src/word.ts": 'export const word: string = "w";',
        },
      },
    ],
    ["a prerelease", { version: "1.0.0-beta.1" }],
  ];
  it.each(forms)("takes a package with %s", async (_, shape) => {
    const options = installOptions(sdk.path);
    expect(await installPlugin(pluginFolder(shape), options)).toMatchObject({ id: "weather", changed: true });
  });

  it("leaves out what is not part of a plugin", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder({
      files: {
        ".npmrc": "registry=http://evil.test",
        ".git/config": "x",
        "node_modules/left/index.js": "x",
        "sub/.npmrc": "x",
        ".gitignore": "x",
      },
    });
    await installPlugin(source, options);
    expect(readdirSync(folderOf(options)).sort()).toEqual([".gitignore", "index.js", "package.json"]);
  });

  it("keeps the packages that a plugin bundles", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder({
      pkg: { dependencies: { left: "^1.0.0" }, bundleDependencies: ["left"] },
      before: 'import { left } from "left";',
      definition: "about: left,",
      files: {
        "node_modules/left/package.json":
          '{ "name": "left", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
        "node_modules/left/index.js": 'export const left = "bundled";',
        "node_modules/right/index.js": "x",
      },
    });
    await installPlugin(source, options);
    expect(readdirSync(join(folderOf(options), "node_modules"))).toEqual(["left"]);
  });
});

describe("going back", () => {
  it("is to the version that the last install replaced, once", async () => {
    const options = installOptions(sdk.path);
    expect(await revertPlugin("weather", options.stateDir)).toBeNull();
    await installPlugin(pluginFolder(), options);
    expect(await revertPlugin("weather", options.stateDir)).toBeNull();
    const before = folderOf(options);
    await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    expect(await revertPlugin("weather", options.stateDir)).toBe("1.0.0");
    expect(folderOf(options)).toBe(before);
    expect(lockOf(options).retired).toHaveLength(1);
    expect(await revertPlugin("weather", options.stateDir)).toBeNull();
  });

  it("is not to files that changed or are gone", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    writeFileSync(join(folderOf(options), "index.js"), "evil()");
    await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    expect(await revertPlugin("weather", options.stateDir)).toBeNull();
    expect(lockOf(options).plugins.weather!.version).toBe("1.1.0");
  });
});

describe("refusing", () => {
  const cases: [string, Parameters<typeof pluginFolder>[0], string, string][] = [
    ["another host range", { host: "^2.0.0" }, "PLUGIN_INCOMPATIBLE", "needs host ^2.0.0"],
    ["a range that is none", { host: "newest" }, "PLUGIN_MANIFEST", "not a semver range"],
    ["a missing range", { pkg: { chela: { id: "weather" } } }, "PLUGIN_MANIFEST", "no host range"],
    ["the id of a built-in", { id: "chat", name: "my-chat" }, "PLUGIN_SHADOWS", '"chat"'],
    ["the id of a built-in in capitals", { id: "Chat", name: "my-chat" }, "PLUGIN_SHADOWS", '"chat"'],
    ["the package name of a built-in", { id: "mine", name: "@chela/plugin-Store" }, "PLUGIN_SHADOWS", '"store"'],
    ["the package name of the SDK", { id: "mine", name: "@chela/sdk" }, "PLUGIN_SHADOWS", "@chela/sdk"],
    ["an id that is a path", { id: "../evil", name: "evil" }, "PLUGIN_MANIFEST", "lower kebab case"],
    ["a package name that is a path", { id: "evil", name: "@x/.." }, "PLUGIN_MANIFEST", "not an npm package name"],
    ["an entry outside", { pkg: { exports: "../../etc/passwd.js" } }, "PLUGIN_MANIFEST", "inside the package"],
    ["an absolute entry", { pkg: { exports: "/etc/passwd.js" } }, "PLUGIN_MANIFEST", "inside the package"],
    ["an entry that is not there", { pkg: { exports: "./gone.js" } }, "PLUGIN_MANIFEST", "not there"],
    ["no entry", { pkg: { exports: undefined } }, "PLUGIN_MANIFEST", "no entry"],
    ["CommonJS", { pkg: { type: "commonjs" } }, "PLUGIN_MANIFEST", '"module"'],
    ["no default export", { files: { "index.js": "export const a = 1;" } }, "PLUGIN_MANIFEST", "no default export"],
    ["another version inside", { pkg: { version: "9.9.9" } }, "PLUGIN_MANIFEST", 'package.json says version "9.9.9"'],
    [
      "another id inside",
      { id: "weather", pkg: { chela: { id: "other", host: "^1.0.0" } } },
      "PLUGIN_MANIFEST",
      'says id "other"',
    ],
    ["a hot key that config lacks", { definition: 'hot: ["speed"],' }, "PLUGIN_MANIFEST", '"speed"'],
    [
      "a dependency from git",
      { pkg: { dependencies: { x: "git+https://evil.test/x.git" } } },
      "PLUGIN_MANIFEST",
      "registry",
    ],
    ["a dependency on a path", { pkg: { dependencies: { x: "file:../../x" } } }, "PLUGIN_MANIFEST", "registry"],
    ["a section of the host", { definition: 'section: "gateway.auth",' }, "PLUGIN_MANIFEST", "belongs to the host"],
    [
      "a package that is missing",
      { before: 'import "no-such-package-here";' },
      "PLUGIN_MANIFEST",
      "no-such-package-here",
    ],
  ];
  it.each(cases)("%s", async (_, shape, code, message) => {
    const options = installOptions(sdk.path);
    await expect(installPlugin(pluginFolder(shape), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(leftovers(options)).toEqual([]);
    expect(existsSync(join(options.stateDir, "plugins/lock.json"))).toBe(false);
  });

  it("never runs a plugin that was made for another host", async () => {
    const options = installOptions(sdk.path);
    const canary = join(tempDir("canary"), "ran");
    const before = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(canary)}, "");`;
    await expect(installPlugin(pluginFolder({ host: "^2.0.0", before }), options)).rejects.toMatchObject({
      code: "PLUGIN_INCOMPATIBLE",
    });
    expect(existsSync(canary)).toBe(false);
    await installPlugin(pluginFolder({ before }), options);
    expect(existsSync(canary)).toBe(true);
  });

  it.each([
    ["PLUGIN_SOURCE", ""],
    ["PLUGIN_SOURCE", "/no/such/folder"],
    ["PLUGIN_SOURCE", "../evil"],
    ["PLUGIN_SOURCE", "--registry=http://evil.test"],
    ["PLUGIN_SOURCE", "git+ssh://evil.test/x"],
    ["PLUGIN_SOURCE", "@x/../y"],
    ["PLUGIN_SOURCE", "weather@file:/etc"],
    ["PLUGIN_SOURCE", "weather\0"],
  ])("answers %s to the source %j", async (code, source) => {
    await expect(installPlugin(source, installOptions(sdk.path))).rejects.toMatchObject({ code, status: 400 });
  });

  it("takes relative paths only where it is told from which folder", async () => {
    const folder = pluginFolder();
    const options = installOptions(sdk.path);
    await expect(installPlugin("./index.js/..", options)).rejects.toMatchObject({ code: "PLUGIN_SOURCE" });
    expect(await installPlugin(".", { ...options, cwd: folder })).toMatchObject({ id: "weather" });
  });

  it("gives an id to one package only", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder({ name: "@me/weather" }), options);
    await expect(
      installPlugin(pluginFolder({ name: "weather-evil", version: "2.0.0" }), options),
    ).rejects.toMatchObject({ code: "PLUGIN_DUPLICATE" });
    expect(lockOf(options).plugins.weather!.version).toBe("1.0.0");
  });

  it("leaves the old version when the new one is refused", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const lock = readFileSync(join(options.stateDir, "plugins/lock.json"), "utf8");
    await expect(
      installPlugin(pluginFolder({ version: "2.0.0", before: "throw new Error('boom');" }), options),
    ).rejects.toMatchObject({ message: expect.stringContaining("boom") });
    expect(readFileSync(join(options.stateDir, "plugins/lock.json"), "utf8")).toBe(lock);
    expect(leftovers(options)).toEqual(["weather"]);
  });
});

describe("uninstalling", () => {
  it("takes it out, deletes its folder when asked, and may be done twice", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    expect(await uninstallPlugin("weather", { ...options, deleteNow: true })).toEqual({
      id: "weather",
      version: "1.0.0",
      changed: true,
    });
    expect(leftovers(options)).toEqual([]);
    expect(lockOf(options)).toMatchObject({ plugins: {}, retired: [] });
    expect(await uninstallPlugin("weather", options)).toEqual({ id: "weather", version: null, changed: false });
    expect(await installPlugin(pluginFolder(), options)).toMatchObject({ previous: null, changed: true });
  });

  it("leaves the folder to a running gateway", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const folder = folderOf(options);
    await uninstallPlugin("weather", options);
    expect(existsSync(folder)).toBe(true);
  });

  it("names the nearest one for an unknown id, and refuses built-ins", async () => {
    const options = installOptions(sdk.path);
    await expect(uninstallPlugin("weather", options)).rejects.toMatchObject({ code: "PLUGIN_UNKNOWN", status: 404 });
    expect(existsSync(join(options.stateDir, "plugins"))).toBe(false);
    await installPlugin(pluginFolder(), options);
    await expect(uninstallPlugin("wether", options)).rejects.toMatchObject({
      code: "PLUGIN_UNKNOWN",
      message: expect.stringContaining("Did you mean weather?"),
    });
    await expect(uninstallPlugin("constructor", options)).rejects.toMatchObject({ code: "PLUGIN_UNKNOWN" });
    await expect(uninstallPlugin("chat", options)).rejects.toMatchObject({
      code: "PLUGIN_BUILTIN",
      message: expect.stringContaining("disable"),
    });
  });
});
