/** Plugins from outside, for the tests of installing them: a small SDK build, plugin folders, tarballs and a state dir. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";
import { Header } from "tar";
import type { InstallOptions } from "../../kernel/plugins/install.ts";
import { makeTempDir, tempDir, writeTree } from "../kit/temp.ts";

/** The SDK as plugins get it, without the test kit: quick to build and independent of the rest of the program. */
export async function buildSdk(): Promise<{ path: string; remove: () => void }> {
  const sdk = makeTempDir("sdk");
  await build({
    entryPoints: [new URL("../../sdk/index.ts", import.meta.url).pathname],
    outfile: join(sdk.path, "index.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
  });
  const exports = { ".": "./index.js", "./package.json": "./package.json" };
  writeTree(sdk.path, {
    "package.json": JSON.stringify({ name: "@chela/sdk", version: "1.0.0", type: "module", exports }),
  });
  return sdk;
}

export interface PluginShape {
  readonly id?: string;
  readonly name?: string;
  readonly version?: string;
  readonly host?: string;
  /** Replaces or adds fields of package.json. */
  readonly pkg?: Readonly<Record<string, unknown>>;
  /** Fields of the definition, as JavaScript. */
  readonly definition?: string;
  /** Code before the default export. */
  readonly before?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** The files of a plugin in plain JavaScript. */
export function pluginFiles(shape: PluginShape = {}): Record<string, string> {
  const { id = "weather", name = id, version = "1.0.0", host = "^1.0.0" } = shape;
  const pkg = { name, version, type: "module", exports: "./index.js", chela: { id, host }, ...shape.pkg };
  return {
    "package.json": JSON.stringify(pkg, null, 2),
    "index.js": `import { definePlugin, Type } from "@chela/sdk";
${shape.before ?? ""}
export default definePlugin({
  id: ${JSON.stringify(id)}, version: ${JSON.stringify(version)}, host: ${JSON.stringify(host)},
  config: Type.Object({ city: Type.String({ default: "Bern" }), units: Type.String({ default: "C" }) }),
  hot: ["units"],
  ${shape.definition ?? ""}
  setup(ctx) { ctx.route({ method: "GET", path: "/api/${id}", access: "read", handler: () => ({ version: ${JSON.stringify(version)} }) }); },
});
`,
    ...shape.files,
  };
}

export function pluginFolder(shape: PluginShape = {}): string {
  const folder = tempDir("plugin");
  writeTree(folder, pluginFiles(shape));
  return folder;
}

/** A .tgz made by the system's tar, wrapped in `package/` as npm does. */
export function tarball(files: Readonly<Record<string, string>>, wrapper = "package", folder = tempDir("tar")): string {
  writeTree(join(folder, "files", wrapper), files);
  const file = join(folder, "plugin.tgz");
  execFileSync("tar", ["-czf", file, "-C", join(folder, "files"), wrapper]);
  return file;
}

/** One entry of a tar of our own making. */
export interface Entry {
  readonly path: string;
  readonly text?: string;
  readonly type?: "File" | "SymbolicLink" | "Link" | "Directory" | "CharacterDevice" | "FIFO";
  readonly linkpath?: string;
  readonly mode?: number;
  /** What the header claims, when it lies. */
  readonly size?: number;
}

/** A tar with headers of our own making: the system's tar refuses to write most of these. */
export function tar(entries: readonly Entry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, text = "", type = "File", linkpath, mode = 0o644, size } of entries) {
    const body = Buffer.from(text);
    const header = new Header({
      path,
      type,
      linkpath,
      mode,
      size: size ?? body.length,
      uid: 0,
      gid: 0,
      mtime: new Date(0),
    });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    blocks.push(block, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function installOptions(sdkDir: string, more: Partial<InstallOptions> = {}): InstallOptions {
  return {
    stateDir: tempDir("state"),
    sdkDir,
    hostVersion: "1.0.0",
    builtins: [{ id: "chat" }, { id: "store" }],
    ...more,
  };
}
