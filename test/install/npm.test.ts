import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InstallOptions, installPlugin } from "../../kernel/plugins/install.ts";
import { findNpm, parseSpec } from "../../kernel/plugins/npm.ts";
import { makeTempDir, tempDir } from "../kit/temp.ts";
import { buildSdk, installOptions, pluginFiles, pluginFolder, tarball } from "./kit.ts";

interface Package {
  readonly file: string;
  readonly pkg: Record<string, unknown> & { name: string; version: string };
  /** A wrong hash in the packument. */
  readonly forged?: boolean;
}

/** A registry on loopback: packuments and tarballs of what it was given, and a list of what it was asked. */
class Registry {
  readonly asked: string[] = [];
  readonly #packages: Package[] = [];
  readonly #server: Server = createServer((req, res) => {
    const path = decodeURIComponent((req.url ?? "/").slice(1));
    this.asked.push(path);
    const tgz = this.#packages.find(({ pkg }) => path === `-/${pkg.name}-${pkg.version}.tgz`);
    if (tgz) return void res.end(readFileSync(tgz.file));
    const versions = this.#packages.filter(({ pkg }) => pkg.name === path);
    if (versions.length === 0) {
      res.statusCode = 404;
      return void res.end("{}");
    }
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(this.#packument(path, versions)));
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  publish(files: Record<string, string>, forged = false): void {
    this.#packages.push({
      file: tarball(files, "package", join(scratch.path, String(this.#packages.length))),
      pkg: JSON.parse(files["package.json"]!) as Package["pkg"],
      forged,
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #packument(name: string, list: readonly Package[]): unknown {
    const versions = list.map(({ pkg, file, forged }) => {
      const integrity = `sha512-${createHash("sha512")
        .update(forged ? "other" : readFileSync(file))
        .digest("base64")}`;
      return [pkg.version, { ...pkg, dist: { tarball: `${this.url}-/${name}-${pkg.version}.tgz`, integrity } }];
    });
    return { name, "dist-tags": { latest: list.at(-1)!.pkg.version }, versions: Object.fromEntries(versions) };
  }
}

const scratch = makeTempDir("registry");
const canary = join(scratch.path, "script-ran");
let sdk: Awaited<ReturnType<typeof buildSdk>>;
const registry = new Registry();

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
