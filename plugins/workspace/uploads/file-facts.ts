/** Size and type of a file by its handle, and its content as a stream; no link is followed. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fileType, headBytes } from "./file-type.ts";

const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

export interface Facts {
  readonly size: number;
  readonly type: string;
}

/** Undefined for what is not there any more, or is no file. */
export async function fileFacts(path: string, name: string): Promise<Facts | undefined> {
  const handle = await open(path, flags).catch(() => undefined);
  if (!handle) return undefined;
  try {
    return await factsOf(handle, name);
  } finally {
    await handle.close();
  }
}

/** Exactly `size` bytes; opened with the first one that is asked for, so that nothing stays open that nobody reads. */
export async function* fileContent(path: string, size: number): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  const handle = await open(path, flags);
  try {
    let left = size;
    const stream = handle.createReadStream({ autoClose: false, start: 0, end: size - 1, highWaterMark: 262_144 });
    for await (const chunk of stream) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    if (left > 0) throw new Error(`${path} became shorter while it was read`);
  } finally {
    await handle.close();
  }
}

async function factsOf(handle: FileHandle, name: string): Promise<Facts | undefined> {
  const stats = await handle.stat();
  if (!stats.isFile()) return undefined;
  const head = Buffer.alloc(Math.min(headBytes, stats.size));
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  return { size: stats.size, type: fileType(head.subarray(0, bytesRead), name) };
}
