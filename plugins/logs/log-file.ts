/**
 * Owns the log file: lines go through a bounded queue into a stream that rotates by size. A full disk or an unwritable
 * folder is told once; lines wait up to 4 MB and are counted when they are dropped, and writing begins again by itself.
 */

import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { messageOf } from "@chela/sdk";
import { rotatedName } from "./retention.ts";

export interface LogFileEvents {
  /** The file cannot be written. Said once per trouble. */
  failed(error: unknown): void;
  /** It can be written again; `lost` lines are missing. */
  recovered(lost: number): void;
  rotated(): void;
  /** Something reached the file; more is written when it is settled. Does not reject. */
  written(): Promise<void>;
}

export interface LogFileOptions {
  readonly dir: string;
  readonly filename: string;
  maxBytes(): number;
  readonly events: LogFileEvents;
  /** For tests of a failing disk. */
  readonly openStream?: typeof openRotating;
}

const maxQueuedBytes = 4_194_304;
const maxChunkBytes = 262_144;

export class LogFile {
  readonly path: string;
  readonly #options: LogFileOptions;
  #stream: Writable | undefined;
  #queue: string[] = [];
  #queuedBytes = 0;
  #pumping: Promise<void> | undefined;
  #inode: number | undefined;
  #lost = 0;
  #trouble = "";
  #closed = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.path = join(options.dir, options.filename);
  }

  /** Why nothing is written; empty while all is well. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Lines dropped since the trouble began. */
  get lost(): number {
    return this.#lost;
  }

  /** One line without its line feed. Never throws, never blocks. */
  write(line: string): void {
    const text = `${line}\n`;
    const bytes = Buffer.byteLength(text);
    if (this.#closed || this.#queuedBytes + bytes > maxQueuedBytes) {
      this.#lost += 1;
      return;
    }
    this.#queue.push(text);
    this.#queuedBytes += bytes;
    if (this.#trouble === "") this.#pump();
  }

  /** Tries again after trouble, and opens the file anew when somebody moved or removed it. */
  async check(): Promise<void> {
    if (this.#closed) return;
    if (this.#stream && this.#trouble === "" && (await this.#moved())) await this.reopen();
    this.#pump();
  }

  /** With the current size limit. */
  async reopen(): Promise<void> {
    await this.#pumping;
    await this.#letGo();
    this.#pump();
  }

  /** Writes what is queued, if it can be written, and closes the file. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#pumping) await this.#pumping;
    await this.#letGo();
  }

  /** Resolves when the queue is empty or cannot be emptied now. */
  async settled(): Promise<void> {
    await this.#pumping;
  }

  #pump(): void {
    this.#pumping ??= this.#drain()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pumping = undefined;
        if (this.#queue.length > 0 && this.#trouble === "") this.#pump();
      });
  }

  async #drain(): Promise<void> {
    this.#stream ??= await this.#open();
    while (this.#queue.length > 0) {
      const { chunk, lines } = this.#nextChunk();
      await put(this.#stream, chunk);
      this.#queue.splice(0, lines);
      this.#queuedBytes -= Buffer.byteLength(chunk);
      await this.#options.events.written();
    }
    if (this.#trouble === "" && this.#lost === 0) return;
    const lost = this.#lost;
    this.#trouble = "";
    this.#lost = 0;
    this.#options.events.recovered(lost);
  }

  #nextChunk(): { chunk: string; lines: number } {
    let chunk = "";
    let lines = 0;
    for (const line of this.#queue) {
      if (lines > 0 && chunk.length + line.length > maxChunkBytes) break;
      chunk += line;
      lines += 1;
    }
    return { chunk, lines };
  }

  async #open(): Promise<Writable> {
    const { dir, filename, maxBytes, events, openStream = openRotating } = this.#options;
    const halfLine = await prepare(this.path);
    const stream = await openStream(dir, filename, maxBytes());
    stream.on("error", (error: unknown) => {
      if (stream === this.#stream || this.#stream === undefined) this.#fail(error);
    });
    stream.on("open", () => {
      this.#inode = undefined;
    });
    stream.on("rotated", () => events.rotated());
    if (halfLine) await put(stream, "\n");
    return stream;
  }

  #fail(error: unknown): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.destroy();
    if (this.#trouble !== "") return;
    this.#trouble = messageOf(error);
    this.#options.events.failed(error);
  }

  async #moved(): Promise<boolean> {
    const facts = await stat(this.path).catch(() => undefined);
    if (!facts) return true;
    const before = this.#inode;
    this.#inode = facts.ino;
    return before !== undefined && before !== facts.ino;
  }

  async #letGo(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream || stream.destroyed) return;
    await new Promise<void>((resolve) => {
      stream.once("close", resolve);
      stream.once("error", () => resolve());
      stream.end();
    });
  }
}

/** rotating-file-stream is loaded with the first file, not with the plugin. */
async function openRotating(dir: string, filename: string, maxBytes: number): Promise<Writable> {
  const { createStream } = await import("rotating-file-stream");
  const name = (time: number | Date, index?: number) =>
    time instanceof Date ? rotatedName(filename, time, index ?? 1) : filename;
  return createStream(name, { path: dir, size: `${maxBytes}B`, mode: 0o600 });
}

/** Makes the folder, narrows the file's mode, and tells whether the file ends in half a line (a process died while writing). */
async function prepare(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "a+", 0o600);
  try {
    const { size } = await file.stat();
    await chmod(path, 0o600).catch(() => undefined);
    if (size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 10;
  } finally {
    await file.close();
  }
}

function put(stream: Writable, chunk: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
