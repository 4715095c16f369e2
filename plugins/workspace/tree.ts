/**
 * The files of the workspace as texts with a version: reads and writes within limits, one writer per path at a time, and a
 * write may demand the version it was made from. Whoever keeps copies is told of every change made here.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { type FileFacts, type Files, GatewayError, KeyedLock } from "@chela/sdk";

export const readLimit = 4_194_304;
export const writeLimit = 4_194_304;

/** A file with its version: the SHA-256 of its bytes, hex. */
export interface TextFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly hash: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/** `hash`: only over this version; `there`: only where something is, or nothing. */
export interface Condition {
  readonly hash?: string | undefined;
  readonly there?: boolean | undefined;
}

export interface TreeParts {
  readonly files: Files;
  root(): string;
  /** Throws when the root is not and cannot be a folder. */
  usable(): string;
  /** A path below the root was changed here. */
  changed(path: string): void;
}

export class Tree {
  readonly #parts: TreeParts;
  /** By path as it is written, in the order of asking; then by where it leads. */
  readonly #paths = new KeyedLock();
  readonly #places = new KeyedLock();

  constructor(parts: TreeParts) {
    this.#parts = parts;
  }

  get root(): string {
    return this.#parts.root();
  }

  /** Undefined when nothing is there. */
  async read(path: string, limit = readLimit): Promise<TextFile | undefined> {
    return this.#orAbsent(async () => {
      const bytes = await this.#parts.files.read(this.root, path, limit);
      if (!bytes) return undefined;
      const facts = await this.#parts.files.facts(this.root, path);
      return { path, bytes, hash: hashOf(bytes), size: bytes.length, modifiedAt: facts?.modifiedAt ?? Date.now() };
    });
  }

  /** Without a version. */
  bytes(path: string, limit: number): Promise<Buffer | undefined> {
    return this.#orAbsent(() => this.#parts.files.read(this.root, path, limit));
  }

  facts(path: string): Promise<FileFacts | undefined> {
    return this.#orAbsent(() => this.#parts.files.facts(this.root, path));
  }

  /** Absolute, free of links; undefined before the workspace was made. */
  resolve(path: string): Promise<string | undefined> {
    return this.#orAbsent(() => this.#parts.files.resolve(this.root, path));
  }

  /** One writer of a file at a time, whatever way leads to it. */
  alone<T>(path: string, work: () => Promise<T>): Promise<T> {
    return this.#paths.run(path, async () => this.#places.run((await this.resolve(path)) ?? path, work));
  }

  /** Durable when it resolves. Throws `FILE_CHANGED` 409 with the current hash when the condition does not hold. */
  write(path: string, content: string | Uint8Array, condition: Condition = {}): Promise<TextFile> {
    return this.alone(path, async () => {
      await this.make();
      await this.#assert(path, condition);
      return this.#put(path, content);
    });
  }

  /** Makes the new content from the old one, undefined where there is none; nobody else writes the path meanwhile. */
  update(path: string, next: (before: Buffer | undefined) => string | Uint8Array): Promise<TextFile> {
    return this.alone(path, async () => {
      await this.make();
      return this.#put(path, next((await this.read(path))?.bytes));
    });
  }

  /** False when nothing was there. */
  remove(path: string, condition: Condition = {}): Promise<boolean> {
    return this.alone(path, async () => {
      await this.#assert(path, condition);
      const removed = await this.#orAbsent(() => this.#parts.files.remove(this.root, path));
      if (removed) this.#parts.changed(path);
      else this.assertUsable();
      return removed ?? false;
    });
  }

  /** What is not there may be missing because the workspace is no folder: that is said instead. */
  assertUsable(): void {
    this.#parts.usable();
  }

  /** The workspace itself. */
  async make(): Promise<void> {
    await mkdir(this.#parts.usable(), { recursive: true, mode: 0o700 });
  }

  async #put(path: string, content: string | Uint8Array): Promise<TextFile> {
    const bytes = Buffer.from(content as string);
    if (bytes.length > writeLimit) throw tooLarge(path, bytes.length);
    const { modifiedAt } = await this.#parts.files.write(this.root, path, bytes);
    this.#parts.changed(path);
    return { path, bytes, hash: hashOf(bytes), size: bytes.length, modifiedAt };
  }

  /** A file that is too large to be read here can still be replaced, by whoever asks for no version. */
  async #assert(path: string, { hash, there }: Condition): Promise<void> {
    if (hash === undefined && there === undefined) return;
    const isThere = (await this.facts(path)) !== undefined;
    const current = isThere && hash !== undefined ? (await this.read(path))?.hash : undefined;
    if ((hash === undefined || hash === current) && (there === undefined || there === isThere)) return;
    const what = isThere ? "was changed by somebody else" : "is not there any more";
    const details = { hash: current ?? (isThere ? (await this.read(path))?.hash : undefined) ?? "" };
    throw new GatewayError("FILE_CHANGED", 409, `${path} ${what} since it was read; read it again and merge`, details);
  }

  /** Before the workspace was made nothing is in it. */
  async #orAbsent<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    const found = await work().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
      return undefined;
    });
    if (found === undefined) this.assertUsable();
    return found;
  }
}

/** Text of a file; bytes that are no UTF-8 are shown as U+FFFD. */
export function textOf(bytes: Buffer): { readonly text: string; readonly binary: boolean } {
  return { text: bytes.toString("utf8"), binary: !isUtf8(bytes) || bytes.includes(0) };
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function tooLarge(path: string, size: number): GatewayError {
  return new GatewayError("FILE_TOO_LARGE", 413, `${path} would have ${size} bytes; at most ${writeLimit}`);
}
