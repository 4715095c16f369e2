/** The words of completion that depend on this machine: plugin ids, config paths, names in the config, backups. Without a gateway, read-only. */

import { isObject } from "@chela/sdk";
import { parseDocument } from "../config/document.ts";
import { formatPath, getAt, parsePath } from "../config/paths.ts";
import { readIfThere } from "../disk/files.ts";
import type { Cli } from "./cli.ts";
import type { Candidate } from "./complete.ts";
import { configDoor } from "./config-door.ts";
import { openLocal } from "./local.ts";
import { localTime } from "./text.ts";

const maxDepth = 8;
const maxPaths = 2000;
const maxConfigBytes = 4 * 1024 * 1024;

export async function pluginIds(cli: Cli): Promise<Candidate[]> {
  const { catalog } = await openLocal(cli);
  return catalog.entries().map(({ id, about }) => ({ word: id, about }));
}

export async function backupIds(cli: Cli): Promise<Candidate[]> {
  const rows = await (await configDoor(cli)).backups();
  return rows.map(({ id, at }) => ({ word: id, about: localTime(at) }));
}

/** What the schemas name, and what the file holds besides. */
export async function configPaths(cli: Cli): Promise<Candidate[]> {
  const words = new Map<string, string>();
  const local = await openLocal(cli).catch(() => null);
  for (const { id } of local?.catalog.entries() ?? []) words.set(`plugins.entries.${id}.enabled`, "");
  for (const { path, schema } of local?.sections ?? []) fromSchema(schema, path.split("."), words);
  const text = await readIfThere(cli.places.configPath, maxConfigBytes).catch(() => undefined);
  if (text !== undefined) fromFile(parsed(text), [], words);
  return [...words].map(([word, about]) => ({ word, about }));
}

/** Names that the file has there. */
export async function namesBelow(cli: Cli, path: string): Promise<Candidate[]> {
  const text = await readIfThere(cli.places.configPath, maxConfigBytes).catch(() => undefined);
  const at = text === undefined ? undefined : getAt(parsed(text), parsePath(path));
  return isObject(at) ? Object.keys(at).map((word) => ({ word, about: "" })) : [];
}

function parsed(text: string): unknown {
  try {
    return parseDocument(text, "the config").raw;
  } catch {
    return {};
  }
}

function fromSchema(schema: unknown, path: readonly string[], words: Map<string, string>): void {
  if (!isObject(schema) || path.length > maxDepth || words.size > maxPaths) return;
  words.set(formatPath(path), typeof schema.description === "string" ? schema.description : "");
  if (!isObject(schema.properties)) return;
  for (const [key, inner] of Object.entries(schema.properties)) fromSchema(inner, [...path, key], words);
}

function fromFile(value: unknown, path: readonly string[], words: Map<string, string>): void {
  if (path.length > maxDepth || words.size > maxPaths) return;
  const word = formatPath(path);
  if (word !== "" && !words.has(word)) words.set(word, "");
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) fromFile(inner, [...path, key], words);
}
