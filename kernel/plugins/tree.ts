/**
 * The files of a plugin: listed, copied and hashed by the same walk. It takes regular files only and stops at the first
 * link, device or limit, so nothing outside a folder is ever read through it. A start hashes every installed plugin, so
 * small files are read without a detour through the thread pool, and other work gets its turn in between.
 */
import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import { assertRelative } from "../disk/files.ts";

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
  const count = counter(limits);
  const passOver = (path: string) => {
    if (skip(path)) return true;
    assertTakeable(path, limits.depth);
    return false;
  };
  await walk(root, passOver, (path) => {
    const { size } = lstatSync(join(root, path));
    count(path, size);
    files.push({ path, size });
  });
  return files.sort(byPath);
}

/** Throws `PLUGIN_ARCHIVE` (422) for a name that some platform would not keep inside its folder. */
export function assertTakeable(path: string, depth: number): void {
  try {
    assertRelative(path);
  } catch (error) {
    throw archiveError((error as Error).message.replace(/\.$/, ""), error);
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

/** Counts files and their bytes; throws at the one that is too much. */
function counter(limits: TreeLimits): (path: string, size: number) => void {
  let files = 0;
  let bytes = 0;
  return (path, size) => {
    files += 1;
    bytes += size;
    assertWithin({ files, bytes, path, size }, limits);
  };
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
  const digests: Digest[] = [];
  const pace = new Pace();
  for (const { path, size } of files) {
    if (pace.isDue()) await pace.rest();
    digests.push({ path, size, content: digest(readPlain(join(root, path), size)) });
  }
  return sumOf(digests);
}

/** The integrity of an installed folder: everything in it that can be loaded. The same as `hashTree`, in one walk. */
export async function installedIntegrity(root: string): Promise<string> {
  const digests: Digest[] = [];
  const count = counter(installedLimits);
  await walk(
    root,
    (path) => path === sdkFolder,
    (path) => {
      const bytes = readPlain(join(root, path), (size) => count(path, size));
      digests.push({ path, size: bytes.length, content: digest(bytes) });
    },
  );
  return sumOf(digests.sort(byPath));
}

interface Digest extends TreeFile {
  readonly content: string;
}

function digest(bytes: Buffer): string {
  return hash("sha512", bytes, "hex");
}

function sumOf(digests: readonly Digest[]): string {
  const whole = createHash("sha512");
  for (const { path, size, content } of digests) whole.update(`${path}\0${size}\0${content}\n`);
  return `sha512-${whole.digest("base64")}`;
}

function byPath(a: TreeFile, b: TreeFile): number {
  return a.path < b.path ? -1 : 1;
}

/** Calls `visit` with the path of every regular file; throws at a link or a device. `skip` is asked for folders too. */
async function walk(root: string, skip: (path: string) => boolean, visit: (path: string) => void): Promise<void> {
  const folders = [""];
  const pace = new Pace();
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const item of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (pace.isDue()) await pace.rest();
      const path = folder === "" ? item.name : `${folder}/${item.name}`;
      if (skip(path)) continue;
      if (item.isDirectory()) folders.push(path);
      else if (item.isFile()) visit(path);
      else throw archiveError(`${path} is a link or a device; a plugin consists of plain files`);
    }
  }
}

/** Short and fit for file names. */
export function shortHash(integrity: string): string {
  return hash("sha256", integrity, "hex").slice(0, 32);
}

export function archiveError(why: string, cause?: unknown): GatewayError {
  return new GatewayError("PLUGIN_ARCHIVE", 422, `The plugin's files are refused: ${why}.`, {}, { cause });
}

/** By handle, not following a link that took the file's place since it was listed. `admit` is told the size before. */
function readPlain(path: string, admit: number | ((size: number) => void)): Buffer {
  const handle = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const facts = fstatSync(handle);
    if (!facts.isFile()) throw changed(path);
    if (typeof admit === "function") admit(facts.size);
    else if (facts.size !== admit) throw changed(path);
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

function changed(path: string): GatewayError {
  return archiveError(`${path} changed while it was read`);
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
