/**
 * The uploads: one folder per upload, named by an id that nobody can guess, with one file in it. What all of them may take
 * is reserved before a file is taken in, so that parallel uploads cannot pass the quota together; old ones are deleted.
 */
import { constants } from "node:fs";
import { chmod, copyFile, mkdir, open, opendir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { isId, newId, safeFileName } from "./names.ts";

export interface UploadLimits {
  readonly quotaBytes: number;
  readonly maxCount: number;
  /** 0: for ever. */
  readonly maxAgeMs: number;
}

export interface StoredUpload {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Between making the folder and moving the file in. */
const halfMadeMs = 3_600_000;

export class UploadFolder {
  readonly #dir: string;
  readonly #limits: () => UploadLimits;
  #known: Promise<Map<string, StoredUpload>> | undefined;
  /** Sizes of those that are being taken in, by id. */
  readonly #coming = new Map<string, number>();
  #sweeping: Promise<number> | undefined;

  /** `dir` is absolute and free of links. */
  constructor(dir: string, limits: () => UploadLimits) {
    this.#dir = dir;
    this.#limits = limits;
  }

  get dir(): string {
    return this.#dir;
  }

  /** Newest first. */
  async list(): Promise<readonly StoredUpload[]> {
    return [...(await this.#uploads()).values()].sort((a, b) => b.at - a.at);
  }

  async get(id: string): Promise<StoredUpload | undefined> {
    return isId(id) ? (await this.#uploads()).get(id) : undefined;
  }

  /** Moves a file in. Throws `UPLOAD_QUOTA` 507; on any failure nothing of it stays. */
  take({ path, name, size }: { readonly path: string; readonly name: string; readonly size: number }) {
    return this.#store(name, size, (to) => moveDurably(path, to));
  }

  /** The same with bytes. */
  keep(name: string, bytes: Uint8Array): Promise<StoredUpload> {
    return this.#store(name, bytes.length, (to) => writeFile(to, bytes, { flag: "wx", mode: 0o600, flush: true }));
  }

  async #store(name: string, size: number, put: (to: string) => Promise<void>): Promise<StoredUpload> {
    // Only when it is needed: the oldest may be older than they should be.
    if (this.#refusal(await this.#uploads(), size)) await this.sweep(Date.now());
    const refusal = this.#refusal(await this.#uploads(), size);
    if (refusal) throw refusal;
    const upload = { id: newId(), name: safeFileName(name), size, at: Date.now() };
    this.#coming.set(upload.id, size);
    const folder = join(this.#dir, upload.id);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await put(join(folder, upload.name));
      (await this.#uploads()).set(upload.id, upload);
      return upload;
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      throw notStored(error);
    } finally {
      this.#coming.delete(upload.id);
    }
  }

  /** False when there is none. */
  async remove(id: string): Promise<boolean> {
    if (!(await this.#uploads()).has(id)) return false;
    await rm(join(this.#dir, id), { recursive: true, force: true });
    // The disk may have been looked at anew meanwhile.
    (await this.#uploads()).delete(id);
    return true;
  }

  /** Looks at the disk anew and deletes what is too old; the number of uploads that went. One at a time. */
  sweep(now: number): Promise<number> {
    this.#sweeping ??= this.#sweep(now).finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #sweep(now: number): Promise<number> {
    this.#known = undefined;
    const uploads = await this.#uploads(now);
    const { maxAgeMs } = this.#limits();
    if (maxAgeMs === 0) return 0;
    const old = [...uploads.values()].filter(({ at }) => at < now - maxAgeMs);
    for (const { id } of old) await this.remove(id);
    return old.length;
  }

  /** Absolute. */
  pathOf({ id, name }: StoredUpload): string {
    return join(this.#dir, id, name);
  }

  #refusal(uploads: Map<string, StoredUpload>, size: number): GatewayError | undefined {
    const { quotaBytes, maxCount } = this.#limits();
    let bytes = size;
    for (const upload of uploads.values()) bytes += upload.size;
    for (const coming of this.#coming.values()) bytes += coming;
    const advice = "delete some (DELETE /api/upload/ID) or raise";
    if (bytes > quotaBytes)
      return full(
        `all uploads together would have ${bytes} bytes; at most ${quotaBytes}: ${advice} workspace.uploads.quota_mb`,
      );
    if (uploads.size + this.#coming.size + 1 > maxCount)
      return full(`there are ${maxCount} uploads already: ${advice} workspace.uploads.max_count`);
    return undefined;
  }

  #uploads(now = Date.now()): Promise<Map<string, StoredUpload>> {
    this.#known ??= this.#look(now);
    return this.#known;
  }

  async #look(now: number): Promise<Map<string, StoredUpload>> {
    try {
      const uploads = await readUploads(this.#dir, now);
      // They are counted already, and told when they are whole.
      for (const id of this.#coming.keys()) uploads.delete(id);
      return uploads;
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }
}

async function readUploads(dir: string, now: number): Promise<Map<string, StoredUpload>> {
  const uploads = new Map<string, StoredUpload>();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for await (const entry of await opendir(dir)) {
    if (!entry.isDirectory() || !isId(entry.name)) continue;
    const upload = await readUpload(dir, entry.name).catch(gone);
    if (upload) uploads.set(entry.name, upload);
    else await dropHalfMade(join(dir, entry.name), now).catch(gone);
  }
  return uploads;
}

async function readUpload(dir: string, id: string): Promise<StoredUpload | undefined> {
  for await (const entry of await opendir(join(dir, id))) {
    if (!entry.isFile()) continue;
    const { size, mtimeMs } = await stat(join(dir, id, entry.name));
    return { id, name: entry.name, size, at: Math.round(mtimeMs) };
  }
  return undefined;
}

/** An empty folder: a process died between two steps, or another one is just between them. */
async function dropHalfMade(folder: string, now: number): Promise<void> {
  const { mtimeMs } = await stat(folder);
  if (mtimeMs < now - halfMadeMs) await rmdir(folder).catch(() => undefined);
}

/** Deleted while it was looked at. */
function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

async function moveDurably(from: string, to: string): Promise<void> {
  const handle = await open(from, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  });
  await chmod(to, 0o600);
}

function full(what: string): GatewayError {
  return new GatewayError("UPLOAD_QUOTA", 507, what);
}

function notStored(error: unknown): GatewayError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
  return new GatewayError("UPLOAD_STORE", 507, `the upload cannot be stored: ${why}`, undefined, { cause: error });
}
