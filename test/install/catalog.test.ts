import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { definePlugin, need, store, Type } from "@chela/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Catalog, openCatalog } from "../../kernel/plugins/catalog.ts";
import { type InstallOptions, installPlugin, uninstallPlugin } from "../../kernel/plugins/install.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { buildSdk, installOptions, pluginFolder } from "./kit.ts";

let sdk: Awaited<ReturnType<typeof buildSdk>>;
beforeAll(async () => {
  sdk = await buildSdk();
});
afterAll(() => sdk.remove());

function open(options: InstallOptions, more: object = {}): Promise<Catalog> {
  return openCatalog({ ...options, builtins: [], owner: true, ...more });
}

function lockPath({ stateDir }: InstallOptions): string {
  return join(stateDir, "plugins/lock.json");
}

describe("the catalog", () => {
  it("lists an installed plugin with all its manifest says, and loads it", async () => {
    const options = installOptions(sdk.path);
    const definition =
      'about: "Tells the\\n weather", critical: true, section: "weather", needs: { store: { service: "store", range: ">=1 <3", optional: true } }, provides: [{ id: "forecast", version: "1.2.0" }], enabledByDefault: false,';
    const { integrity } = await installPlugin(pluginFolder({ definition }), options);
    const catalog = await open(options);
    expect(catalog.warnings()).toEqual([]);
    expect(catalog.entries()).toHaveLength(1);
    expect(catalog.get("weather")).toMatchObject({
      id: "weather",
      version: "1.0.0",
      host: "^1.0.0",
      about: "Tells the weather",
      critical: true,
      section: "weather",
      hot: ["units"],
      needs: [{ key: "store", service: "store", range: ">=1 <3", optional: true }],
      provides: [{ id: "forecast", version: "1.2.0" }],
      enabledByDefault: false,
      origin: "installed",
      problem: "",
      schema: { type: "object", properties: { city: { type: "string", default: "Bern" } } },
    });
    expect(integrity).toBeTruthy();
    const plugin = await catalog.load("weather");
    expect(plugin.id).toBe("weather");
    expect(await catalog.load("weather")).toBe(plugin);
  });

  it("imports nothing for listing, not even in a child once the manifest is kept", async () => {
    const options = installOptions(sdk.path);
    const canary = join(tempDir("canary"), "ran");
    const before = `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(canary)}, "x");`;
    await installPlugin(pluginFolder({ before }), options);
    expect(readFileSync(canary, "utf8")).toBe("x");
    const catalog = await open(options);
    await catalog.refresh();
    expect(readFileSync(canary, "utf8")).toBe("x");
    rmSync(join(options.stateDir, "plugins/.manifests"), { recursive: true });
    await catalog.refresh();
    expect(readFileSync(canary, "utf8")).toBe("xx");
    expect(catalog.get("weather")).toMatchObject({ problem: "", hot: ["units"] });
    expect(readdirSync(join(options.stateDir, "plugins/.manifests"))).toHaveLength(1);
  });

  it("refuses to load what was changed since the install, and says so in the list", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const catalog = await open(options);
    const { root } = catalog.get("weather")!;
    writeFileSync(join(root, "extra.js"), "// one more file");
    await expect(catalog.load("weather")).rejects.toMatchObject({
      code: "PLUGIN_INTEGRITY",
      message: expect.stringContaining("changed since install; reinstall"),
    });
    expect(catalog.get("weather")).toMatchObject({ state: "failed", problem: expect.stringContaining("reinstall") });
    rmSync(join(root, "extra.js"));
    symlinkSync("/etc/passwd", join(root, "link.js"));
    await catalog.refresh();
    await expect(catalog.load("weather")).rejects.toMatchObject({ code: "PLUGIN_INTEGRITY" });
    rmSync(join(root, "link.js"));
    await catalog.refresh();
    expect((await catalog.load("weather")).id).toBe("weather");
  });

  it("does not run changed code to read its manifest either", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const { root } = (await open(options)).get("weather")!;
    const canary = join(tempDir("canary"), "ran");
    writeFileSync(
      join(root, "index.js"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(canary)}, "");`,
    );
    rmSync(join(options.stateDir, "plugins/.manifests"), { recursive: true });
    expect((await open(options)).get("weather")).toMatchObject({
      state: "failed",
      problem: expect.stringContaining("changed since install"),
    });
    expect(existsSync(canary)).toBe(false);
  });

  it("keeps what is critical critical on a host it was not made for, and imports nothing", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder({ definition: "critical: true," }), options);
    const catalog = await open(options, { hostVersion: "2.0.0" });
    expect(catalog.get("weather")).toMatchObject({
      state: "incompatible",
      critical: true,
      problem: expect.stringMatching(/^needs host \^1\.0\.0; this is Chela 2\.0\.0/),
    });
    await expect(catalog.load("weather")).rejects.toMatchObject({ code: "PLUGIN_INCOMPATIBLE" });
  });

  it("shows a plugin whose folder is gone, with what to do", async () => {
    const options = installOptions(sdk.path);
    const source = pluginFolder();
    await installPlugin(source, options);
    const { root } = (await open(options)).get("weather")!;
    rmSync(root, { recursive: true });
    const entry = (await open(options)).get("weather");
    expect(entry).toMatchObject({
      state: "failed",
      hot: ["units"],
      problem: expect.stringContaining(`chela plugins install ${source}`),
    });
  });

  it("lets built-ins win over an installed plugin of the same id", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder({ id: "radar" }), options);
    const radar = definePlugin({ id: "radar", version: "3.0.0", host: "^1.0.0", setup() {} });
    const catalog = await open(options, { plugins: [radar] });
    expect(catalog.entries()).toHaveLength(1);
    expect(await catalog.load("radar")).toBe(radar);
    expect(catalog.warnings()).toEqual([expect.stringContaining("chela plugins uninstall radar")]);
  });

  it("gives a config section to one plugin only", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder({ definition: 'section: "models.providers",' }), options);
    const providers = definePlugin({
      id: "providers",
      version: "1.0.0",
      host: "^1.0.0",
      section: "models",
      setup() {},
    });
    const catalog = await open(options, { plugins: [providers] });
    expect(catalog.get("weather")).toMatchObject({
      state: "failed",
      problem: expect.stringContaining('belongs to "providers"'),
    });
  });

  it("starts without the installed ones when the lock file is broken, and keeps the last good list while running", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const running = await open(options);
    for (const text of [
      "{ half",
      '{"version":2,"plugins":{}}',
      "[]",
      '{"version":1,"plugins":{"weather":{"folder":"../../x"}}}',
    ]) {
      writeFileSync(lockPath(options), text);
      await running.refresh();
      expect(running.get("weather")).toMatchObject({ problem: "" });
      const fresh = await open(options);
      expect(fresh.entries()).toEqual([]);
      expect(fresh.warnings()).toEqual([expect.stringContaining("lock.json")]);
      await expect(installPlugin(pluginFolder(), options)).rejects.toMatchObject({ code: "PLUGIN_LOCK" });
      expect(readFileSync(lockPath(options), "utf8")).toBe(text);
    }
  });

  it("never follows a lock file out of its folder", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const lock = JSON.parse(readFileSync(lockPath(options), "utf8")) as { plugins: { weather: { folder: string } } };
    lock.plugins.weather.folder = "weather/../../../etc";
    writeFileSync(lockPath(options), JSON.stringify(lock));
    expect((await open(options)).warnings()).toEqual([expect.stringContaining("names a folder outside")]);
  });

  it("repairs the link to the SDK when the host has moved", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const link = join(options.stateDir, "plugins/node_modules/@chela/sdk");
    rmSync(link);
    symlinkSync("/nowhere", link);
    await (await open(options)).load("weather");
    expect(readlinkSync(link)).toBe(sdk.path);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it("leaves the link alone for whoever only looks at the list", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const link = join(options.stateDir, "plugins/node_modules/@chela/sdk");
    rmSync(link);
    await open(options, { owner: false });
    expect(existsSync(link)).toBe(false);
  });

  it("imports the host's SDK even where another one lies in the plugin's own folder", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const { root } = (await open(options)).get("weather")!;
    writeTree(join(root, "node_modules/@chela/sdk"), {
      "package.json": JSON.stringify({ name: "@chela/sdk", type: "module", exports: "./index.js" }),
      "index.js": 'throw new Error("the wrong SDK");',
    });
    expect(await (await open(options)).load("weather")).toMatchObject({ id: "weather" });
    expect(existsSync(join(root, "node_modules/@chela/sdk"))).toBe(false);
  });

  it("names the nearest one for an unknown id", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    await expect((await open(options)).load("wether")).rejects.toMatchObject({
      code: "PLUGIN_UNKNOWN",
      message: expect.stringContaining("Did you mean weather?"),
    });
  });
});

describe("an upgrade under a running gateway", () => {
  it("is new code, and the old folder goes one refresh after the old code", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const catalog = await open(options);
    const first = await catalog.load("weather");
    const { root, hash } = catalog.get("weather")!;
    await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    await catalog.refresh();
    expect(catalog.get("weather")).toMatchObject({ version: "1.1.0" });
    expect(catalog.get("weather")!.hash).not.toBe(hash);
    const second = await catalog.load("weather");
    expect([first.version, second.version]).toEqual(["1.0.0", "1.1.0"]);
    expect(existsSync(root)).toBe(true);
    await catalog.refresh();
    expect(existsSync(root)).toBe(false);
  });

  it("is cleaned up at the next boot, by the gateway only", async () => {
    const options = installOptions(sdk.path);
    await installPlugin(pluginFolder(), options);
    const { root } = (await open(options)).get("weather")!;
    await uninstallPlugin("weather", options);
    await open(options, { owner: false });
    expect(existsSync(root)).toBe(true);
    expect((await open(options)).entries()).toEqual([]);
    expect(existsSync(root)).toBe(false);
    expect(readdirSync(join(options.stateDir, "plugins/.manifests"))).toEqual([]);
  });
});

describe("plugins in memory", () => {
  it("are rows like any other", async () => {
    const memory = definePlugin({
      id: "memory",
      version: "1.0.0",
      host: "^1.0.0",
      config: Type.Object({ n: Type.Integer({ default: 1 }) }),
      hot: ["n"],
      needs: { store: need(store, "^1.0.0") },
      setup() {},
    });
    const catalog = await open(installOptions(sdk.path), { plugins: [memory] });
    expect(catalog.entries()).toMatchObject([
      { id: "memory", section: "plugins.entries.memory.config", needs: [{ key: "store", service: "store" }] },
    ]);
    expect(await catalog.load("memory")).toBe(memory);
  });
});
