import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InstallOptions, installPlugin } from "../../kernel/plugins/install.ts";
import { findNpm, parseSpec } from "../../kernel/plugins/npm.ts";
import { outdatedPlugins } from "../../kernel/plugins/outdated.ts";
import { makeTempDir, tempDir } from "../kit/temp.ts";
import { buildSdk, installOptions, pluginFiles, pluginFolder } from "./kit.ts";
import { Registry } from "./registry.ts";

const scratch = makeTempDir("registry");
const canary = join(scratch.path, "script-ran");
let sdk: Awaited<ReturnType<typeof buildSdk>>;
const registry = new Registry(scratch.path);

beforeAll(async () => {
  sdk = await buildSdk();
  await registry.listen();
  const scripts = {
    preinstall: `touch ${canary}`,
    install: `touch ${canary}`,
    postinstall: `touch ${canary}`,
    prepare: `touch ${canary}`,
    prepack: `touch ${canary}`,
  };
  registry.publish({
    "package.json": JSON.stringify({
      name: "left-side",
      version: "1.2.0",
      type: "module",
      exports: "./index.js",
      bin: "./index.js",
      scripts,
    }),
    "index.js": 'export const left = "1.2.0";',
  });
  registry.publish(pluginFiles({ name: "@me/weather", pkg: { scripts } }));
  registry.publish(pluginFiles({ name: "@me/weather", version: "1.1.0", pkg: { scripts } }));
  registry.publish(pluginFiles({ name: "@me/weather", version: "2.0.0", pkg: { scripts } }));
  registry.publish(pluginFiles({ id: "forged" }), true);
});
afterAll(() => {
  sdk.remove();
  scratch.remove();
  registry.close();
});

/** npm keeps its cache and settings below HOME: a fresh one per test. */
async function install(source: string, options: InstallOptions) {
  const { HOME } = process.env;
  process.env.HOME = tempDir("home");
  try {
    return await installPlugin(source, { ...options, registry: registry.url });
  } finally {
    process.env.HOME = HOME;
  }
}

describe("a package of the registry", { timeout: 60_000 }, () => {
  it("is fetched by name and range, upgraded by another range, and its scripts never run", async () => {
    const options = installOptions(sdk.path);
    expect(await install("@me/weather@^1.0.0", options)).toMatchObject({
      id: "weather",
      version: "1.1.0",
      previous: null,
      changed: true,
    });
    expect(await install("@me/weather", options)).toMatchObject({ version: "2.0.0", previous: "1.1.0", changed: true });
    expect(await install("@me/weather@2.0.0", options)).toMatchObject({ version: "2.0.0", changed: false });
    const lock = JSON.parse(readFileSync(join(options.stateDir, "plugins/lock.json"), "utf8")) as {
      plugins: { weather: { source: string; name: string } };
    };
    expect(lock.plugins.weather).toMatchObject({ name: "@me/weather", source: "@me/weather" });
    expect(existsSync(canary)).toBe(false);
    expect(readdirSync(join(options.stateDir, "plugins")).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("brings its dependencies, without their scripts, links and dev dependencies", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder({
      pkg: {
        dependencies: { "left-side": "^1.0.0", "@chela/sdk": "^1.0.0" },
        devDependencies: { "not-there-dev": "^1.0.0", local: "file:/no/such/folder" },
        peerDependencies: { "@chela/sdk": "^1.0.0", "not-there-peer": "^1.0.0" },
        scripts: { preinstall: `touch ${canary}` },
      },
      before: 'import { left } from "left-side";',
      definition: "about: left,",
      files: { ".npmrc": "registry=http://127.0.0.1:1/\nignore-scripts=false\n" },
    });
    await install(source, options);
    const [folder] = readdirSync(join(options.stateDir, "plugins/weather"));
    expect(readdirSync(join(options.stateDir, "plugins/weather", folder!, "node_modules"))).toEqual(["left-side"]);
    expect(existsSync(canary)).toBe(false);
    const offline = await installPlugin(source, options);
    expect(offline.changed).toBe(false);
  });

  it("is asked about again: what an update would bring, a failure in its row", async () => {
    const options = installOptions(sdk.path);
    const record = (id: string, source: string) => {
      const texts = { integrity: "i", content: "c", installedAt: "now", folder: `${id}/1.0.0` };
      return { name: "@me/weather", version: "1.0.0", source, ...texts };
    };
    const plugins = {
      weather: record("weather", "@me/weather"),
      gone: record("gone", "no-such-plugin"),
      local: record("local", "/somewhere"),
      range: record("range", "@me/weather@^1.0.0"),
    };
    mkdirSync(join(options.stateDir, "plugins"));
    writeFileSync(join(options.stateDir, "plugins/lock.json"), JSON.stringify({ version: 1, plugins }));
    const rows = await outdatedPlugins(options.stateDir, { registry: registry.url });
    expect(rows.map(({ id, installed, latest }) => [id, installed, latest])).toEqual([
      ["gone", "1.0.0", null],
      ["range", "1.0.0", "1.1.0"],
      ["weather", "1.0.0", "2.0.0"],
    ]);
    expect(rows[0]).toMatchObject({ source: "no-such-plugin", error: expect.stringContaining("no package") });
    expect(readdirSync(join(options.stateDir, "plugins")).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("that is not there is named", async () => {
    const options = installOptions(sdk.path);
    await expect(install("no-such-plugin", options)).rejects.toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      status: 404,
      message: expect.stringContaining("no-such-plugin"),
    });
    await expect(install("@me/weather@^9.0.0", options)).rejects.toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      message: expect.stringContaining("matching version"),
    });
    expect(readdirSync(join(options.stateDir, "plugins"))).toEqual([]);
  });

  it("whose bytes are not the registry's is refused", async () => {
    await expect(install("forged", installOptions(sdk.path))).rejects.toMatchObject({
      code: "PLUGIN_FETCH",
      status: 502,
    });
  });

  it("is not fetched while a built-in has its id", async () => {
    const options = installOptions(sdk.path, { builtins: [{ id: "weather" }] });
    await expect(install("@me/weather", options)).rejects.toMatchObject({ code: "PLUGIN_SHADOWS" });
  });

  it("is not asked for what needs no package", async () => {
    registry.asked.length = 0;
    await install(pluginFolder(), installOptions(sdk.path));
    expect(registry.asked).toEqual([]);
  });

  it("needs a registry that is a URL", async () => {
    const options = { ...installOptions(sdk.path), registry: "file:///etc" };
    await expect(installPlugin("weather", options)).rejects.toMatchObject({ code: "PLUGIN_SOURCE" });
  });
});

describe("names", () => {
  it.each([
    ["weather", { name: "weather", range: "" }],
    ["weather@latest", { name: "weather", range: "latest" }],
    ["@me/weather@>=1 <3", { name: "@me/weather", range: ">=1 <3" }],
    ["@me/weather@1.x || 2.x", { name: "@me/weather", range: "1.x || 2.x" }],
  ])("%s is one", (text, spec) => {
    expect(parseSpec(text)).toEqual(spec);
  });

  it.each([
    "",
    "-g",
    "--registry=x",
    "@x/..",
    "@x/../y",
    "..",
    ".hidden",
    "a/b/c",
    "Weather",
    "a b",
    "a@",
    "a@file:x",
    "a@npm:b",
    "a@http://x",
    "a@$(id)",
    "node_modules",
    "a\nb",
    "@/x",
    "x".repeat(300),
  ])("%j is none", (text) => {
    expect(parseSpec(text)).toBeUndefined();
  });
});

describe("npm", () => {
  it("is found beside node or in the PATH, and run by node", () => {
    expect(findNpm()?.[0]).toBe(process.execPath);
    const bin = tempDir("bin");
    mkdirSync(join(bin, "node_modules/npm/bin"), { recursive: true });
    writeFileSync(join(bin, "node_modules/npm/bin/npm-cli.js"), "");
    expect(findNpm({ PATH: bin })).toBeDefined();
  });
});
