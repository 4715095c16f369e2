/**
 * The files of a plugin: listed, copied and hashed by the same walk. It takes regular files only and stops at the first
 * link, device or limit, so nothing outside a folder is ever read through it. A start hashes every installed plugin, so
 * small files are read without a detour through the thread pool, and other work gets its turn in between.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import { assertRelative } from "../files.ts";

export interface TreeLimits {
  readonly files: number;
  readonly bytes: number;
  readonly fileBytes: number;
  readonly depth: number;
}

/** What a plugin's own files may come to. */
export const sourceLimits: TreeLimits = {
  files: 5000,
  bytes: 200 * 1024 * 1024,
  fileBytes: 50 * 1024 * 1024,
  depth: 32,
};

/** The same once its dependencies are installed. */
export const installedLimits: TreeLimits = { ...sourceLimits, files: 50_000, bytes: 1024 * 1024 * 1024 };

export interface TreeFile {
  /** Relative, `/` between segments. */
  readonly path: string;
  readonly size: number;
}

/** Where the host's SDK is linked; no part of the plugin. */
export const sdkFolder = "node_modules/@chela/sdk";

/** True for what is never taken from a source: version control, npm settings, what the system strews about. */
export function isLitter(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    name === ".git" ||
    name === ".svn" ||
    name === ".hg" ||
    name === ".npmrc" ||
    name === ".DS_Store" ||
    name.startsWith("._")
  );
}

/** Every regular file below `root`, sorted. What `skip` takes out is not looked into. */
export async function listTree(root: string, limits: TreeLimits, skip: (path: string) => boolean): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  const folders = [""];
  const pace = new Pace();
  let bytes = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (pace.isDue()) await pace.rest();
    for (const item of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? item.name : `${folder}/${item.name}`;
      if (skip(path)) continue;
      assertTakeable(path, limits.depth);
      if (item.isDirectory()) folders.push(path);
      else if (!item.isFile()) throw archiveError(`${path} is a link or a device; a plugin consists of plain files`);
      else {
        const { size } = lstatSync(join(root, path));
        bytes += size;
        files.push({ path, size });
        assertWithin({ files: files.length, bytes, path, size }, limits);
      }
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Throws `PLUGIN_ARCHIVE` (422) for a name that some platform would not keep inside its folder. */
export function assertTakeable(path: string, depth: number): void {
  try {
    assertRelative(path);
  } catch (error) {
    throw archiveError((error as Error).message, error);
  }
  if (path.split("/").length > depth) throw archiveError(`${path.slice(0, 100)}… lies more than ${depth} folders deep`);
}

export function assertWithin(
  sum: { files: number; bytes: number; path: string; size: number },
  limits: TreeLimits,
): void {
  if (sum.size > limits.fileBytes)
    throw archiveError(`${sum.path} has ${sum.size} bytes; at most ${limits.fileBytes} in one file`);
  if (sum.files > limits.files) throw archiveError(`more than ${limits.files} files`);
  if (sum.bytes > limits.bytes) throw archiveError(`more than ${limits.bytes} bytes`);
}

export async function copyTree(from: string, to: string, files: readonly TreeFile[]): Promise<void> {
  for (const { path, size } of files) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, readPlain(join(from, path), size), { flag: "wx", mode: 0o644 });
  }
}

/** `sha512-…` over the sorted names, sizes and contents. */
export async function hashTree(root: string, files: readonly TreeFile[]): Promise<string> {
  const whole = createHash("sha512");
  const pace = new Pace();
  for (const { path, size } of files) {
    if (pace.isDue()) await pace.rest();
    const content = createHash("sha512")
      .update(readPlain(join(root, path), size))
      .digest("hex");
    whole.update(`${path}\0${size}\0${content}\n`);
  }
  return `sha512-${whole.digest("base64")}`;
}

/** The integrity of an installed folder: everything in it that can be loaded. */
export async function installedIntegrity(root: string): Promise<string> {
  return hashTree(root, await listTree(root, installedLimits, (path) => path === sdkFolder));
}

/** Short and fit for file names. */
export function shortHash(integrity: string): string {
  return createHash("sha256").update(integrity).digest("hex").slice(0, 32);
}

export function archiveError(why: string, cause?: unknown): GatewayError {
  return new GatewayError("PLUGIN_ARCHIVE", 422, `The plugin's files are refused: ${why}.`, {}, { cause });
}

/** By handle, not following a link that took the file's place since it was listed. */
function readPlain(path: string, size: number): Buffer {
  const handle = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const facts = fstatSync(handle);
    if (!facts.isFile() || facts.size !== size) throw archiveError(`${path} changed while it was read`);
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Lets others run after each few milliseconds of work. */
class Pace {
  static readonly #sliceMs = 8;
  #since = performance.now();

  isDue(): boolean {
    return performance.now() - this.#since > Pace.#sliceMs;
  }

  async rest(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
