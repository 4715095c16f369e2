/** Reads the newest lines of a file from its end, a block at a time: the cost depends on what is asked, not on the file. */
import { type FileHandle, open } from "node:fs/promises";
import { GatewayError, type LogLevel } from "@chela/sdk";
import { type Entry, entryOf, reaches } from "./entry.ts";

export interface LastOptions {
  /** Lines looked at; blank ones count, and lines below `level` do not. */
  readonly limit: number;
  readonly level?: LogLevel | undefined;
  /** Never reads more than this from the end. Default 4 MB. */
  readonly maxBytes?: number;
}

const blockBytes = 65_536;
const lineFeed = 10;

/** Oldest first. Throws GatewayError 500 `LOG_UNREADABLE` when the file cannot be opened. */
export async function readLast(path: string, options: LastOptions): Promise<Entry[]> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    return await collect(file, options);
  } finally {
    await file.close();
  }
}

async function collect(file: FileHandle, { limit, level, maxBytes = 4_194_304 }: LastOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  let seen = 0;
  for await (const line of linesFromEnd(file, maxBytes)) {
    if (seen === limit) break;
    const entry = entryOf(line);
    if (entry && !reaches(entry, level)) continue;
    seen += 1;
    if (entry) entries.push(entry);
  }
  return entries.reverse();
}

/** Newest first. A line that began before the last `maxBytes` is left out. */
async function* linesFromEnd(file: FileHandle, maxBytes: number): AsyncGenerator<string> {
  const { size } = await file.stat();
  let position = size;
  let rest: Buffer = Buffer.alloc(0);
  while (position > 0 && size - position < maxBytes) {
    const start = Math.max(0, position - blockBytes);
    const block = Buffer.alloc(position - start);
    const { bytesRead } = await file.read(block, 0, block.length, start);
    // What a writer just cut off is gone: the rest of the file is no longer the same text.
    if (bytesRead < block.length) return;
    const ending = position === size && block.at(-1) === lineFeed ? block.subarray(0, -1) : block;
    rest = Buffer.concat([ending, rest]);
    position = start;
    for (let at = rest.lastIndexOf(lineFeed); at !== -1; at = rest.lastIndexOf(lineFeed)) {
      yield rest.toString("utf8", at + 1);
      rest = rest.subarray(0, at);
    }
  }
  if (position === 0 && size > 0) yield rest.toString("utf8");
}

/** ClawGo's words for a file that cannot be opened. */
export function unreadable(path: string, error: unknown): GatewayError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "no such file or directory",
    ENOTDIR: "not a directory",
    EACCES: "permission denied",
    EISDIR: "is a directory",
  };
  const reason = (code === undefined ? undefined : reasons[code]) ?? message;
  return new GatewayError("LOG_UNREADABLE", 500, `open ${path}: ${reason}`, undefined, { cause: error });
}
