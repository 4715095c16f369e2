/** `plugins new`: a folder that is a plugin, passes its own test offline, and shows each thing a plugin can do once. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import { codeOf } from "../disk/files.ts";
import { pluginId } from "./manifest.ts";
import { validPackageName } from "./package-file.ts";
import { scaffoldFiles } from "./scaffold-files.ts";
import { linkSdk } from "./sdk-link.ts";

export interface ScaffoldOptions {
  /** Must not exist, or be empty. */
  readonly dir: string;
  /** The host's SDK, linked so that the test runs at once. */
  readonly sdkDir: string;
  /** Ids that are taken. */
  readonly builtins?: readonly { readonly id: string }[];
}

export interface Scaffolded {
  readonly id: string;
  readonly dir: string;
  readonly files: readonly string[];
}

/** Writes the plugin `name` (`weather`, or `@me/weather`) as a whole, or nothing. */
export async function scaffoldPlugin(name: string, options: ScaffoldOptions): Promise<Scaffolded> {
  const id = idOf(name, options.builtins ?? []);
  const dir = resolve(options.dir);
  await refuseNonEmpty(dir);
  const files = scaffoldFiles({ name, id, sdkDir: resolve(options.sdkDir) });
  const draft = join(dirname(dir), `.${id}-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(dirname(dir), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), text);
    }
    await linkSdk(draft, options.sdkDir);
    await rename(draft, dir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST" ? notEmpty(dir) : unwritable(dir, error);
  }
  return { id, dir, files: Object.keys(files).sort() };
}

function idOf(name: string, builtins: readonly { readonly id: string }[]): string {
  if (!validPackageName(name)) throw nameError(name, "is not a package name");
  const id = name.replace(/^@[^/]+\//, "");
  try {
    pluginId(id, "plugins new");
  } catch {
    throw nameError(name, "gives no plugin id: lower case letters, digits and dashes, a letter first");
  }
  if (builtins.some((builtin) => builtin.id === id))
    throw nameError(name, `has the id of a plugin that is part of Chela`);
  return id;
}

async function refuseNonEmpty(dir: string): Promise<void> {
  try {
    if ((await readdir(dir)).length > 0) throw notEmpty(dir);
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") throw notEmpty(dir);
    if (codeOf(error) !== "ENOENT") throw unwritable(dir, error);
  }
}

function nameError(name: string, why: string): GatewayError {
  return new GatewayError(
    "PLUGIN_NAME",
    400,
    `${JSON.stringify(name.slice(0, 100))} ${why}. Take a name such as "weather" or "@me/weather".`,
  );
}

function notEmpty(dir: string): GatewayError {
  return new GatewayError(
    "FOLDER_NOT_EMPTY",
    409,
    `${dir} exists already and is not empty. Choose another name or --dir.`,
    { path: dir },
  );
}

function unwritable(dir: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (!code || !/^E[A-Z]+$/.test(code)) return cause;
  const message = `${dir} cannot be written (${code}). Choose another folder with --dir, or make that one writable.`;
  return new GatewayError("FOLDER_UNWRITABLE", 500, message, { path: dir }, { cause });
}
