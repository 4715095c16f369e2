/**
 * Where a plugin comes from: a folder, a tarball, or a package of the npm registry. Whatever it is, what is taken of it is
 * one copy of its plain files in a folder of ours, checked against the limits; the rest of the install looks only at that.
 */
import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import { codeOf } from "../disk/files.ts";
import { type ArchiveLimits, unpackTarball } from "./archive.ts";
import { type NpmOptions, packPackage, parseSpec } from "./npm.ts";
import { type PackageFacts, readPackageJson } from "./package-file.ts";
import { copyTree, hashTree, isLitter, listTree, sourceLimits } from "./tree.ts";

export type Source =
  | { readonly kind: "folder"; readonly path: string }
  /** `uploaded`: the file is here only for the install; what it was called elsewhere. */
  | { readonly kind: "tarball"; readonly path: string; readonly uploaded?: string }
  | { readonly kind: "npm"; readonly name: string; readonly range: string };

export type InstallStep = "fetching" | "unpacking" | "checking";

export interface StageOptions extends NpmOptions {
  /** Hears of each step as it begins. */
  readonly tell?: ((step: InstallStep) => void) | undefined;
  readonly limits?: Partial<ArchiveLimits>;
}

const uploadPrefix = "upload:";
const defaultLimits: ArchiveLimits = { ...sourceLimits, packedBytes: 100 * 1024 * 1024, ratio: 200 };

/**
 * What `text` names. An existing path comes before a package name, so a plugin in reach is never fetched from elsewhere;
 * relative paths count only where `cwd` says from which folder.
 */
export async function findSource(text: string, cwd?: string): Promise<Source> {
  if (text === "" || text.length > 4096 || text.includes("\0"))
    throw sourceError(text, "is no folder, tarball or package name");
  if (text.startsWith(uploadPrefix)) throw sourceError(text, "was uploaded and is not kept; upload a file again");
  const path = isAbsolute(text) ? text : cwd === undefined ? undefined : resolve(cwd, text);
  const facts = path === undefined ? undefined : await statIfThere(path);
  if (path !== undefined && facts?.isDirectory()) return { kind: "folder", path };
  if (path !== undefined && facts?.isFile()) {
    if (/\.(?:tgz|tar\.gz)$/i.test(path)) return { kind: "tarball", path };
    throw sourceError(text, "is a file but not a .tgz or .tar.gz");
  }
  const spec = parseSpec(text);
  if (spec && !isAbsolute(text)) return { kind: "npm", ...spec };
  if (path === undefined)
    throw sourceError(text, "is no package name; write folders and tarballs as absolute paths here");
  throw sourceError(text, "is neither a folder, nor a .tgz, nor a package name");
}

/** What the lock file keeps, and what installs the same again. */
export function sourceText(source: Source): string {
  if (source.kind === "tarball" && source.uploaded !== undefined) return uploadPrefix + source.uploaded;
  if (source.kind !== "npm") return source.path;
  return source.range === "" ? source.name : `${source.name}@${source.range}`;
}

/**
 * Copies the files of `source` to `work/plugin`, once `admit` has accepted its package.json. `content` is the hash of what
 * was copied.
 */
export async function stageSource(
  source: Source,
  work: string,
  admit: (packageJson: string) => Promise<PackageFacts>,
  options: StageOptions,
): Promise<{ root: string; facts: PackageFacts; content: string }> {
  const limits = { ...defaultLimits, ...options.limits };
  if (source.kind === "npm") options.tell?.("fetching");
  const tarball = source.kind === "npm" ? await packPackage(source, join(work, "pack"), options) : source.path;
  options.tell?.("unpacking");
  const folder = source.kind === "folder" ? source.path : join(work, "unpacked");
  if (source.kind !== "folder") await unpackTarball(tarball, folder, limits);
  const facts = await admit(await readPackageJson(folder));
  const files = await listTree(folder, limits, (path) => isLitter(path) || !belongs(path, facts.bundled));
  const root = join(work, "plugin");
  await copyTree(folder, root, files);
  return { root, facts, content: await hashTree(root, files) };
}

/** Of node_modules only what the package bundles, without the links of `.bin`. */
export function belongs(path: string, bundled: readonly string[]): boolean {
  const segments = path.split("/");
  const at = segments.indexOf("node_modules");
  if (at === -1) return true;
  if (segments.at(-1) === ".bin") return false;
  if (at !== 0) return false;
  const inside = segments.slice(1).join("/");
  if (inside === "") return bundled.length > 0;
  return bundled.some((name) => inside === name || inside.startsWith(`${name}/`) || name.startsWith(`${inside}/`));
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" || codeOf(error) === "ENAMETOOLONG") return undefined;
    throw error;
  }
}

function sourceError(text: string, why: string): GatewayError {
  return new GatewayError(
    "PLUGIN_SOURCE",
    400,
    `${JSON.stringify(text.slice(0, 200))} ${why}. Give a folder, a .tgz, or an npm name such as "weather@^1.0.0".`,
  );
}
