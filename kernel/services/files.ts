/**
 * The `files` service: reading, replacing and removing files below a folder. A path is resolved once and then used through a
 * handle of its folder, so that a link put in its way between the check and the use leads nowhere.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type FileFacts, type Files, GatewayError } from "@chela/sdk";
import { sweepFolder } from "../disk/drafts.ts";
import { codeOf, isInside, resolveInside, writeFileAtomic } from "../disk/files.ts";

const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
const folderFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
/** Where a handle can be used as a folder. */
const byHandle = process.platform === "linux";

/** Folders of which is remembered that they were swept. */
const maxSwept = 4096;

/** The same, for one host: sweeps each folder once that it writes into, since a killed one may have left drafts there. */
export function hostFiles(): Files {
  const swept = new Set<string>();
  return {
    ...filesService,
    write: async (root, path, bytes, options) => {
      const facts = await filesService.write(root, path, bytes, options);
      const folder = dirname(facts.path);
      if (swept.has(folder) || swept.size >= maxSwept) return facts;
      swept.add(folder);
      await sweepFolder(folder);
      return facts;
    },
  };
}

export const filesService: Files = {
  resolve: resolveInside,
  facts: async (root, path) => {
    const file = await ifThere(() => resolveInside(root, path));
    const stats = file === undefined ? undefined : await ifThere(() => lstat(file));
    return file === undefined || !stats ? undefined : factsOf(file, regular(stats, path));
  },
  read: async (root, path, maxBytes) => {
    try {
      return await readOpened(root, path, maxBytes);
    } catch (error) {
      // Replaced between its opening and the check, as editors save.
      if (codeOf(error) !== "ENOENT") throw error;
      return ifThere(() => readWithin(root, path, maxBytes));
    }
  },
  write: async (root, path, bytes, options) => {
    const file = await resolveInside(root, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return within(root, file, path, async (place) => {
      const before = await ifThere(() => lstat(place));
      const kept = before ? regular(before, path).mode & 0o777 : 0o600;
      const mode = options?.mode ?? kept;
      await writeFileAtomic(place, bytes, { mode });
      return factsOf(file, await lstat(place));
    });
  },
  remove: async (root, path) => {
    const file = await resolveInside(root, path);
    if (!(await ifThere(() => lstat(dirname(file))))) return false;
    return within(root, file, path, async (place) => {
      const stats = await ifThere(() => lstat(place));
      if (!stats) return false;
      regular(stats, path);
      await rm(place);
      return true;
    });
  },
};

async function readOpened(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await ifThere(() => resolveInside(root, path));
  const handle = file === undefined ? undefined : await ifThere(() => open(file, readFlags));
  if (file === undefined || !handle) return undefined;
  try {
    await assertStill(root, file, handle, path);
    return await readAll(handle, maxBytes, path);
  } finally {
    await handle.close();
  }
}

/** Its folder is held and judged instead of the file: whichever is there at that moment is read. */
async function readWithin(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const file = await resolveInside(root, path);
  return within(root, file, path, async (place) => {
    const handle = await open(place, readFlags);
    try {
      return await readAll(handle, maxBytes, path);
    } finally {
      await handle.close();
    }
  });
}

async function readAll(handle: FileHandle, maxBytes: number, path: string): Promise<Buffer> {
  const { size } = regular(await handle.stat(), path);
  if (size > maxBytes) throw tooLarge(path, size, maxBytes);
  return readUpTo(handle, maxBytes, path);
}

/** Runs `work` on the file's place in its folder, held by a handle where the system can. */
async function within<T>(root: string, file: string, path: string, work: (place: string) => Promise<T>): Promise<T> {
  if (!byHandle) return work(file);
  const folder = await open(dirname(file), folderFlags);
  try {
    await assertStill(root, dirname(file), folder, path);
    return await work(join(`/proc/self/fd/${folder.fd}`, basename(file)));
  } finally {
    await folder.close();
  }
}

/** What was opened is what was resolved, and inside. */
async function assertStill(root: string, expected: string, handle: FileHandle, path: string): Promise<void> {
  if (!byHandle) return;
  const real = await realpath(`/proc/self/fd/${handle.fd}`);
  if (real === expected && isInside(await realpath(root), real)) return;
  throw new GatewayError("PATH_REFUSED", 400, `The path ${JSON.stringify(path)} changed while it was being opened.`);
}

/** A file may grow while it is read. */
async function readUpTo(handle: FileHandle, maxBytes: number, path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
    size += (part as Buffer).length;
    if (size > maxBytes) throw tooLarge(path, size, maxBytes);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function regular(stats: Stats, path: string): Stats {
  if (stats.isFile()) return stats;
  const what = stats.isDirectory() ? "a folder" : "no regular file";
  throw new GatewayError("NOT_A_FILE", 400, `${JSON.stringify(path)} is ${what}`);
}

function factsOf(path: string, { size, mtimeMs }: Stats): FileFacts {
  return { path, size, modifiedAt: Math.round(mtimeMs) };
}

async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function tooLarge(path: string, size: number, maxBytes: number): GatewayError {
  return new GatewayError("FILE_TOO_LARGE", 413, `${JSON.stringify(path)} has ${size} bytes; at most ${maxBytes}`);
}
