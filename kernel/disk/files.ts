/**
 * Files, for everyone in the host: the one path resolver and the one atomic write. A path from outside (a URL, a
 * manifest, an archive, a model) becomes a file name only through `resolveInside`.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { GatewayError } from "@chela/sdk";

/**
 * The absolute, symlink-free path of `path` below `root`; it need not exist yet. Refuses what is empty, absolute or has
 * `..` in it, and whatever leads outside once the nearest existing parent is followed to where it really is.
 */
export async function resolveInside(root: string, path: string): Promise<string> {
  assertRelative(path);
  const realRoot = await realpath(root);
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  const missing: string[] = [];
  for (let depth = segments.length; ; depth--) {
    const candidate = join(realRoot, ...segments.slice(0, depth));
    const real = await realpathOrMissing(candidate);
    if (real === undefined) {
      // The root itself went meanwhile: that is told, or it is there again.
      if (depth === 0) return resolveInside(root, path);
      missing.unshift(segments[depth - 1] as string);
      continue;
    }
    if (!isInside(realRoot, real)) throw refused(path, "leads outside its folder");
    return join(real, ...missing);
  }
}

/** True when `path` is `root` or below it. Both must be absolute and free of symlinks. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** The name itself when it is one plain file name on every platform; throws `PATH_REFUSED` otherwise. */
export function safeName(name: string): string {
  assertRelative(name);
  if (name === "." || name.includes("/") || name.includes(":")) throw refused(name, "is not a plain file name");
  return name;
}

/** Throws `PATH_REFUSED` unless the text is a relative path that stays below wherever it is put. */
export function assertRelative(path: string): void {
  if (path === "") throw refused(path, "is empty");
  if (path.length > 4096 || path.includes("\0")) throw refused(path.slice(0, 100), "is too long or contains NUL");
  if (path.includes("\\")) throw refused(path, "contains a backslash; write `/`");
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) throw refused(path, "is absolute");
  if (process.platform === "win32" && path.includes(":")) throw refused(path, "names a stream");
  if (path.split("/").includes("..")) throw refused(path, "contains `..`");
}

/** The disk is waited for outside the event loop; everything else here is done sooner than a thread could take it over. */
const synced = promisify(fsync);

/**
 * Replaces `file` as a whole: a reader, or a start after a crash at any moment, sees the old bytes or the new ones. The
 * temporary file lies in the same folder, which must exist. A symlink at `file` is replaced, not followed.
 */
export async function writeFileAtomic(
  file: string,
  bytes: string | Uint8Array,
  { mode = 0o600, durable = true }: { readonly mode?: number; readonly durable?: boolean } = {},
): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.${process.pid}-${randomBytes(6).toString("hex")}.tmp`);
  try {
    const fd = openSync(draft, "wx", mode);
    try {
      writeFileSync(fd, bytes);
      fchmodSync(fd, mode);
      if (durable) await synced(fd);
    } finally {
      closeSync(fd);
    }
    await renameOver(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  if (durable) await syncFolder(dirname(file));
}

/** Makes a rename or a new file in `folder` survive a power cut, where the platform lets a folder be synced. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const fd = openSync(folder, "r");
  try {
    await synced(fd);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EISDIR", "EPERM"].includes(codeOf(error))) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Text of a file, or undefined when there is none. */
export async function readIfThere(file: string, maxBytes: number): Promise<string | undefined> {
  try {
    const bytes = readBytes(file, (size) => {
      if (size > maxBytes)
        throw new GatewayError("FILE_TOO_LARGE", 413, `${file} has ${size} bytes; at most ${maxBytes}`);
    });
    return bytes.toString("utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The bytes of a file whose size `accept` lets pass. A pipe is not waited for: what it has not got yet is an error. */
export function readBytes(file: string, accept: (size: number) => void): Buffer {
  const fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    accept(fstatSync(fd).size);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined when nothing is there. A link to nowhere is refused: writing through it would create its target. */
async function realpathOrMissing(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === "ELOOP") throw refused(path, "is a loop of links");
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
  }
  const link = await lstat(path).then(
    (facts) => facts.isSymbolicLink(),
    () => false,
  );
  if (link) throw refused(path, "is a link to nowhere");
  return undefined;
}

/** Windows refuses to replace a file that someone is just reading; it is free again in a moment. */
async function renameOver(draft: string, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return renameSync(draft, file);
    } catch (error) {
      const transient = process.platform === "win32" && ["EPERM", "EACCES", "EBUSY"].includes(codeOf(error));
      if (!transient || attempt === 10) throw error;
      await pause(attempt * 10);
    }
  }
}

function refused(path: string, why: string): GatewayError {
  return new GatewayError(
    "PATH_REFUSED",
    400,
    `The path ${JSON.stringify(path)} ${why}. Use a relative path that stays inside its folder.`,
  );
}

/** The `code` of a system error, or the empty string. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
