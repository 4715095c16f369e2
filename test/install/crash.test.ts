import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCatalog } from "../../kernel/plugins/catalog.ts";
import { fileFindings } from "../../kernel/plugins/doctor.ts";
import { type InstallOptions, installPlugin, uninstallPlugin } from "../../kernel/plugins/install.ts";
import { makeTempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { buildSdk, installOptions, pluginFolder } from "./kit.ts";

/** A process that installs one plugin and can be killed between any two of its file operations. */
const program = `
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
const [stopAt, source, options] = process.argv.slice(2);
let calls = 0;
for (const name of ["mkdir", "rename", "rm", "link", "writeFile", "open", "symlink"]) {
  const real = fsp[name];
  fsp[name] = (...args) => {
    if (calls++ === Number(stopAt)) process.kill(process.pid, "SIGKILL");
    return real(...args);
  };
}
syncBuiltinESMExports();
const { installPlugin } = await import("./install.mjs");
await installPlugin(source, JSON.parse(options));
`;

let sdk: Awaited<ReturnType<typeof buildSdk>>;
let scratch: ReturnType<typeof makeTempDir>;
beforeAll(async () => {
  sdk = await buildSdk();
  scratch = makeTempDir("crash");
  const external = ["esbuild"];
  const require = 'import { createRequire } from "node:module";const require = createRequire(import.meta.url);';
  const common = {
    bundle: true,
    format: "esm",
    platform: "node",
    outdir: scratch.path,
    outExtension: { ".js": ".mjs" },
    external,
    banner: { js: require },
  } as const;
  await build({ ...common, entryPoints: [new URL("../../kernel/plugins/install.ts", import.meta.url).pathname] });
  await build({ stdin: { contents: program, loader: "js" }, format: "esm", outfile: join(scratch.path, "run.mjs") });
});
afterAll(() => {
  sdk.remove();
  scratch.remove();
});

function installIn(source: string, options: InstallOptions, stopAt: number): ChildProcess {
  return spawn(process.execPath, [join(scratch.path, "run.mjs"), String(stopAt), source, JSON.stringify(options)], {
    stdio: "inherit",
  });
}

function finished(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
}

async function versionThatRuns(options: InstallOptions): Promise<string> {
  const catalog = await openCatalog({ ...options, builtins: [] });
  expect(catalog.warnings()).toEqual([]);
  const plugin = await catalog.load("weather");
  expect(catalog.get("weather")).toMatchObject({ problem: "", version: plugin.version });
  return plugin.version;
}

describe("kill -9 in the middle of an upgrade", () => {
  it("at every file operation: the old version or the new one runs, and the next install cleans up", {
    timeout: 180_000,
  }, async () => {
    const before = installOptions(sdk.path);
    await installPlugin(pluginFolder(), before);
    const [v2, v3] = [pluginFolder({ version: "1.1.0" }), pluginFolder({ version: "1.2.0" })];
    const seen = new Set<string>();
    for (let stopAt = 0, ended = false; !ended && stopAt < 200; stopAt += 1) {
      const options = installOptions(sdk.path);
      cpSync(before.stateDir, options.stateDir, { recursive: true, verbatimSymlinks: true });
      const signal = await finished(installIn(v2, options, stopAt));
      ended = signal === null;
      seen.add(`${signal ?? "done"} ${await versionThatRuns(options)}`);
      await installPlugin(v3, options);
      expect(await versionThatRuns(options)).toBe("1.2.0");
      const names = readdirSync(join(options.stateDir, "plugins"));
      expect(names.filter((name) => name.startsWith(".staging") || name.startsWith(".lock"))).toEqual([]);
      expect(await fileFindings(options.stateDir)).toEqual([]);
    }
    expect([...seen].sort()).toEqual(["SIGKILL 1.0.0", "SIGKILL 1.1.0", "done 1.1.0"]);
  });
});

describe("two installs at once", () => {
  it("of two processes both end well, and one of them is what is installed", { timeout: 60_000 }, async () => {
    const options = installOptions(sdk.path);
    const sources = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map((version) => pluginFolder({ version }));
    const ends = await Promise.all(sources.map((source) => finished(installIn(source, options, -1))));
    expect(ends).toEqual([null, null, null, null]);
    expect(["1.0.0", "1.1.0", "1.2.0", "1.3.0"]).toContain(await versionThatRuns(options));
    expect(await fileFindings(options.stateDir)).toEqual([]);
  });

  it("of one process neither loses the other's", async () => {
    const options = installOptions(sdk.path);
    const ids = ["a", "b", "c", "d", "e"];
    await Promise.all(ids.map((id) => installPlugin(pluginFolder({ id }), options)));
    await Promise.all([installPlugin(pluginFolder({ id: "f" }), options), uninstallPlugin("c", options)]);
    const lock = JSON.parse(readFileSync(join(options.stateDir, "plugins/lock.json"), "utf8")) as { plugins: object };
    expect(Object.keys(lock.plugins).sort()).toEqual(["a", "b", "d", "e", "f"]);
  });
});

describe("the doctor", () => {
  it("finds changed files, folders that nothing names, and what a killed install left", async () => {
    const options = installOptions(sdk.path);
    const { writeTree } = await import("../kit/temp.ts");
    expect(await fileFindings(options.stateDir)).toEqual([]);
    const source = pluginFolder();
    await installPlugin(source, options);
    await installPlugin(pluginFolder({ version: "1.1.0" }), options);
    expect(await fileFindings(options.stateDir)).toEqual([]);
    const root = join(options.stateDir, "plugins");
    const { root: folder } = (await openCatalog({ ...options, builtins: [] })).get("weather")!;
    writeTree(root, { "weather/9.9.9-dead/x": "", "stranger/1.0.0-beef/x": "", ".staging-999999999-ab/x": "" });
    writeTree(folder, { "index.js": "// tampered" });
    const found = await fileFindings(options.stateDir);
    expect(found).toHaveLength(4);
    expect(found).toContainEqual(
      expect.objectContaining({
        level: "error",
        plugin: "weather",
        message: expect.stringContaining("changed since install"),
      }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ level: "warning", plugin: "weather", message: expect.stringContaining("9.9.9-dead") }),
    );
    expect(found).toContainEqual(expect.objectContaining({ level: "warning", plugin: "stranger" }));
    expect(found).toContainEqual(expect.objectContaining({ message: expect.stringContaining(".staging-") }));
    writeTree(root, { "lock.json": "{" });
    expect(await fileFindings(options.stateDir)).toEqual([
      expect.objectContaining({ level: "error", message: expect.stringContaining("does not parse") }),
    ]);
  });

  it("says nothing about an install that is going on", async () => {
    const options = installOptions(sdk.path);
    const child = installIn(
      pluginFolder({ before: "await new Promise((resolve) => setInterval(() => undefined, 1000));" }),
      options,
      -1,
    );
    const root = join(options.stateDir, "plugins");
    await until(
      () => existsSync(root) && readdirSync(root).some((name) => name.startsWith(".staging-")),
      10_000,
      "the staging folder",
    );
    expect(await fileFindings(options.stateDir)).toEqual([]);
    child.kill("SIGKILL");
    await finished(child);
    expect(await fileFindings(options.stateDir)).toEqual([
      expect.objectContaining({ message: expect.stringContaining(".staging-") }),
    ]);
  });
});
