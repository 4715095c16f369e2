/** What stands on disk at the config's path, read whole and within bounds. */
import { lstat, open, readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import { codeOf } from "../files.ts";
import { assertSize, decode, hashOf, missingHash, undecodable } from "./document.ts";

export interface FileState {
  /** Null: there is no file. Text that cannot be decoded reads as one that never parses. */
  readonly text: string | null;
  readonly hash: string;
  /** Only where `text` does not say what the bytes are. */
  readonly bytes?: Uint8Array;
}

/** A missing file is a state like any other. Throws `CONFIG_READ`, `CONFIG_SIZE`. */
export async function readState(path: string): Promise<FileState> {
  try {
    const handle = await open(path, "r");
    try {
      assertSize((await handle.stat()).size, path);
      const bytes = await handle.readFile();
      const text = decode(bytes);
      return { text, hash: hashOf(bytes), ...(text === undecodable ? { bytes } : {}) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { text: null, hash: missingHash };
    if (GatewayError.is(error)) throw error;
    const reason = codeOf(error) || String(error);
    const message = `the config ${path} cannot be read (${reason}); make it a readable file`;
    throw new GatewayError("CONFIG_READ", 500, message, { path }, { cause: error });
  }
}

/** Behind a symlink: the file it leads to is replaced, the link stays. It may lead to a file that is yet to be made. */
export async function realTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isSymbolicLink() ? resolve(dirname(path), await readlink(path)) : path;
}
