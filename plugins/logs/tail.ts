/**
 * Follows the log file for all listeners at once: new whole lines, whoever wrote them, across rotation and truncation.
 * The file is open and looked at only while somebody listens; the work per look is bounded.
 */
import {
  accessSync,
  closeSync,
  fstatSync,
  openSync,
  read as readCallback,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { promisify } from "node:util";
import { type Entry, entryOf } from "./entry.ts";
import { unreadable } from "./unreadable.ts";

const read = promisify(readCallback);
const lookEveryMs = 250;
const blockBytes = 65_536;
const maxBlocksPerLook = 64;
const maxLineBytes = 1_048_576;
/** So much of what was read last is looked for again before more is read. */
const knownBytes = 64;
const lineFeed = 10;

export class Tail {
  readonly #path: string;
  readonly #listeners = new Set<(entry: Entry) => void>();
  #fd: number | undefined;
  #position = 0;
  /** What stands right before the position, as it was read. */
  #last: Buffer = Buffer.alloc(0);
  /** Bytes of a line whose end was not written yet. */
  #half: Buffer = Buffer.alloc(0);
  /** In a line that outgrew the limit, until its end. */
  #skipping = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Calls `listener` for every line that ends from now on; returns its undo. Throws `LOG_UNREADABLE` when there is no file. */
  join(listener: (entry: Entry) => void): () => void {
    // Opened before the caller's next tick: a line appended right after the client connected is never missed.
    if (this.#fd === undefined) this.#open("end");
    else this.#assertThere();
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.look(), lookEveryMs).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.close();
    };
  }

  /** Reads what was appended since the last look. Who writes waits for it, so that no file is rotated away unread. */
  async look(): Promise<void> {
    // It may have been past the end already.
    await this.#looking;
    if (this.#listeners.size === 0) return;
    this.#looking ??= this.#catchUp()
      .catch(() => this.#letGo())
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  /** Idempotent; resolves when nothing is open any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#looking;
    if (this.#listeners.size === 0) this.#letGo();
  }

  /** Forgets every listener too. */
  async end(): Promise<void> {
    this.#listeners.clear();
    await this.close();
  }

  #open(from: "start" | "end"): void {
    this.#startOver();
    try {
      this.#fd = openSync(this.#path, "r");
      if (from === "end") this.#goToEnd(this.#fd);
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  /** Who comes while the file is missing is told so, also where others still hold what it was. */
  #assertThere(): void {
    try {
      accessSync(this.#path);
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  #startOver(): void {
    this.#position = 0;
    this.#last = Buffer.alloc(0);
    this.#half = Buffer.alloc(0);
    this.#skipping = false;
  }

  /** Behind the last whole line: one that is being written will be told whole, or, when its beginning is far, not at all. */
  #goToEnd(fd: number): void {
    const { size } = fstatSync(fd);
    const block = Buffer.alloc(Math.min(size, blockBytes));
    const length = readSync(fd, block, 0, block.length, size - block.length);
    const lines = block.subarray(0, block.subarray(0, length).lastIndexOf(lineFeed) + 1);
    this.#skipping = lines.length === 0 && block.length < size;
    this.#moveOn(this.#skipping ? block.subarray(0, length) : lines, size - block.length);
  }

  #moveOn(bytes: Buffer, from = this.#position): void {
    this.#position = from + bytes.length;
    this.#last = Buffer.from(Buffer.concat([this.#last, bytes.subarray(-knownBytes)]).subarray(-knownBytes));
  }

  #letGo(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #catchUp(): Promise<void> {
    if (this.#fd === undefined) this.#open("start");
    await this.#readOn();
    if (this.#isCurrent()) return;
    this.#letGo();
    this.#open("start");
    await this.#readOn();
  }

  /** False when another file has taken the name; a name that is missing for a moment is no reason to leave the file. */
  #isCurrent(): boolean {
    const named = statSync(this.#path, { throwIfNoEntry: false });
    return named === undefined || sameFile(named, fstatSync(this.#fd as number));
  }

  async #readOn(): Promise<void> {
    const fd = this.#fd as number;
    if (!(await this.#goesOn(fd))) this.#startOver();
    const block = Buffer.alloc(blockBytes);
    for (let blocks = 0; blocks < maxBlocksPerLook; blocks += 1) {
      const { bytesRead } = await read(fd, block, 0, blockBytes, this.#position);
      if (bytesRead === 0) return;
      this.#moveOn(block.subarray(0, bytesRead));
      this.#take(block.subarray(0, bytesRead));
    }
  }

  /** False when what was read last is gone: the file was truncated, and may have grown beyond that place since. */
  async #goesOn(fd: number): Promise<boolean> {
    const there = Buffer.alloc(this.#last.length);
    const { bytesRead } = await read(fd, there, 0, there.length, this.#position - there.length);
    return this.#last.equals(there.subarray(0, bytesRead));
  }

  #take(bytes: Buffer): void {
    let from = 0;
    for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, from)) {
      if (!this.#skipping) this.#tell(Buffer.concat([this.#half, bytes.subarray(from, at)]));
      this.#half = Buffer.alloc(0);
      this.#skipping = false;
      from = at + 1;
    }
    if (this.#skipping) return;
    this.#half = Buffer.concat([this.#half, bytes.subarray(from)]);
    if (this.#half.length <= maxLineBytes) return;
    this.#half = Buffer.alloc(0);
    this.#skipping = true;
  }

  #tell(line: Buffer): void {
    const entry = entryOf(line.toString("utf8"));
    if (!entry) return;
    for (const listener of this.#listeners) listener(entry);
  }
}

function sameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
