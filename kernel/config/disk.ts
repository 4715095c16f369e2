/** What stands on disk at the config's path, read whole and within bounds. */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import { codeOf, readBytes } from "../disk/files.ts";
import {
  assertSize,
  type ConfigDocument,
  decode,
  hashOf,
  missingDocument,
  missingHash,
  parseDocument,
  undecodable,
} from "./document.ts";

export interface FileState {
  /** Null: there is no file. Text that cannot be decoded reads as one that never parses. */
  readonly text: string | null;
  readonly hash: string;
  /** Only where `text` does not say what the bytes are. */
  readonly bytes?: Uint8Array;
}

const documents = new WeakMap<FileState, ConfigDocument>();

/** Parsed once for as long as the state is kept; throws what `parseDocument` throws. */
export function documentOf(state: FileState, path: string): ConfigDocument {
  if (state.text === null) return missingDocument;
  const known = documents.get(state) ?? parseDocument(state.text, path);
  documents.set(state, known);
  return known;
}

/** A missing file is a state like any other. Throws `CONFIG_READ`, `CONFIG_SIZE`. */
export function readState(path: string): FileState {
  try {
    const bytes = readBytes(path, (size) => assertSize(size, path));
    const text = decode(bytes);
    return { text, hash: hashOf(bytes), ...(text === undecodable ? { bytes } : {}) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { text: null, hash: missingHash };
    if (GatewayError.is(error)) throw error;
    const reason = codeOf(error) || String(error);
    const message = `the config ${path} cannot be read (${reason}); make it a readable file`;
    throw new GatewayError("CONFIG_READ", 500, message, { path }, { cause: error });
  }
}

/** Behind a symlink: the file it leads to is replaced, the link stays. It may lead to a file that is yet to be made. */
export function realTarget(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const facts = lstatSync(path, { throwIfNoEntry: false });
  return facts?.isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : path;
}
