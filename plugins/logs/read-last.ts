/**
 * Reads the newest lines of the log from its end, a block at a time: the cost depends on what is asked, not on the file. A
 * page says where the one before it ends, first in the same file, then in the rotated ones, so that one can go all the way back.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GatewayError, type LogLevel } from "@chela/sdk";
import { type Entry, entryOf, holds, isOf, reaches } from "./entry.ts";
import { rotatedNames } from "./retention.ts";
import { unreadable } from "./unreadable.ts";

export interface LastOptions {
  /** Lines looked at; blank ones count, and those that the filters leave out do not. */
  readonly limit: number;
  readonly level?: LogLevel | undefined;
  /** Lines with this text in one of their values, in any letter case. */
  readonly query?: string | undefined;
  /** Only lines of it; `kernel`: of no plugin. */
  readonly plugin?: string | undefined;
  /** `before` of an earlier page; absent: the newest lines. */
  readonly before?: string | undefined;
  /** Never reads more than this. Default 4 MB. */
  readonly maxBytes?: number;
}

export interface Page {
  /** Oldest first. May be empty although there are more before. */
  readonly entries: readonly Entry[];
  /** For the page before this one; null: there is nothing before. */
  readonly before: string | null;
}

interface Line {
  readonly text: string;
  /** Where it begins in the file. */
  readonly at: number;
}

/** A file, and where in it the page ends. */
interface Place {
  readonly path: string;
  readonly end: number | undefined;
}

const blockBytes = 65_536;
const lineFeed = 10;

/** Throws GatewayError 500 `LOG_UNREADABLE` when the file cannot be opened, 400 `BAD_CURSOR`. */
export async function readLast(path: string, options: LastOptions): Promise<Page> {
  const place = await placeOf(path, options.before);
  if (!place) return { entries: [], before: null };
  const file = await open(place.path, "r").catch((error: unknown) => {
    throw unreadable(place.path, error);
  });
  try {
    const { ino, size } = await file.stat();
    const { entries, at } = await collect(file, Math.min(place.end ?? size, size), options);
    return { entries, before: at > 0 ? `${ino}.${at}` : await endOfOlder(path, place.path) };
  } finally {
    await file.close();
  }
}

/** Undefined: that file is gone. A file keeps its inode when it is rotated. */
async function placeOf(path: string, before: string | undefined): Promise<Place | undefined> {
  if (before === undefined) return { path, end: undefined };
  const [, inode, end] = /^(\d{1,20})\.(\d{1,15})$/.exec(before) ?? [];
  if (inode === undefined) throw new GatewayError("BAD_CURSOR", 400, "before must be what an earlier answer told");
  for (const file of [path, ...(await rotatedPaths(path))]) {
    const facts = await stat(file).catch(() => undefined);
    if (facts && `${facts.ino}` === inode) return { path: file, end: Number(end) };
  }
  return undefined;
}

async function rotatedPaths(path: string): Promise<readonly string[]> {
  const dir = dirname(path);
  return (await rotatedNames(dir, basename(path))).map((name) => join(dir, name));
}

async function endOfOlder(path: string, read: string): Promise<string | null> {
  const files = [path, ...(await rotatedPaths(path))];
  for (const older of files.slice(files.indexOf(read) + 1)) {
    const facts = await stat(older).catch(() => undefined);
    if (facts && facts.size > 0) return `${facts.ino}.${facts.size}`;
  }
  return null;
}

/** `at`: where what was looked at begins. */
async function collect(file: FileHandle, end: number, options: LastOptions): Promise<{ entries: Entry[]; at: number }> {
  const { limit, level, query, plugin, maxBytes = 4_194_304 } = options;
  const entries: Entry[] = [];
  let seen = 0;
  let at = Math.max(0, end - maxBytes);
  for await (const line of linesFromEnd(file, end, maxBytes)) {
    at = line.at;
    const entry = entryOf(line.text);
    if (entry && !(reaches(entry, level) && isOf(entry, plugin) && holds(entry, query))) continue;
    seen += 1;
    if (entry) entries.push(entry);
    if (seen === limit) break;
  }
  return { entries: entries.reverse(), at };
}

/** Newest first. A line that began before the last `maxBytes` is left out. */
async function* linesFromEnd(file: FileHandle, end: number, maxBytes: number): AsyncGenerator<Line> {
  let position = end;
  let rest: Buffer = Buffer.alloc(0);
  while (position > 0 && end - position < maxBytes) {
    const start = Math.max(0, position - blockBytes);
    const block = Buffer.alloc(position - start);
    const { bytesRead } = await file.read(block, 0, block.length, start);
    // What a writer just cut off is gone: the rest of the file is no longer the same text.
    if (bytesRead < block.length) return;
    const ending = position === end && block.at(-1) === lineFeed ? block.subarray(0, -1) : block;
    rest = Buffer.concat([ending, rest]);
    position = start;
    for (let at = rest.lastIndexOf(lineFeed); at !== -1; at = rest.lastIndexOf(lineFeed)) {
      yield { text: rest.toString("utf8", at + 1), at: position + at + 1 };
      rest = rest.subarray(0, at);
    }
  }
  if (position === 0 && end > 0) yield { text: rest.toString("utf8"), at: 0 };
}
