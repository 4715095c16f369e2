/** Which files make up which session: by their names, with OpenClaw's `sessions.json` as the key to names that are ids. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { GatewayError, isSessionKey } from "@chela/sdk";
import { sessionKey } from "../session-key.ts";
import type { Source } from "./import.ts";
import { keysById, transcriptName } from "./names.ts";

export interface TranscriptFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

const indexName = "sessions.json";
const maxIndexBytes = 16 * 1024 * 1024;
const sidecar = /\.(meta|index)\.json$/;

/** With `key` all files belong to that session, in the order of their parts. Throws 400 when there is nothing to read. */
export async function sourcesOf(files: readonly TranscriptFile[], key: string | undefined): Promise<Source[]> {
  if (key !== undefined) sessionKey(key);
  const keys = await indexOf(files);
  const found = new Map<string, { part: number; file: TranscriptFile }[]>();
  for (const file of files) {
    if (file.name === indexName || sidecar.test(file.name)) continue;
    const said = transcriptName(file.name, keys);
    const owner = key ?? said?.key;
    if (owner === undefined || !isSessionKey(owner)) throw nameless(file.name);
    const part = { part: said?.part ?? 0, file };
    const known = found.get(owner);
    if (known) known.push(part);
    else found.set(owner, [part]);
  }
  if (found.size === 0) throw new GatewayError("INVALID", 400, "nothing to import: send a transcript (.jsonl)");
  return [...found].map(([owner, parts]) => ({
    key: owner,
    files: parts
      .sort((a, b) => a.part - b.part || (a.file.name < b.file.name ? -1 : 1))
      .map(({ file }) => ({ name: file.name, bytes: () => createReadStream(file.path) })),
  }));
}

async function indexOf(files: readonly TranscriptFile[]): Promise<Record<string, string>> {
  const index = files.find(({ name, size }) => name === indexName && size <= maxIndexBytes);
  if (!index) return {};
  try {
    return keysById(JSON.parse(await readFile(index.path, "utf8")));
  } catch {
    throw new GatewayError("INVALID", 400, `${indexName} is no JSON: repair it, or send the transcripts without it`);
  }
}

function nameless(file: string): GatewayError {
  const message = `${JSON.stringify(file.slice(0, 100))} names no session: give a key, or call the file <key>.jsonl`;
  return new GatewayError("INVALID", 400, message);
}
