/**
 * The newest lines of the log file itself, for when no gateway answers: after a crash they are what one wants to see.
 * Reads a bounded part of the file's end; what is no JSON object is left out.
 */

import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isObject } from "@chela/sdk";
import { codeOf } from "../disk/files.ts";
import type { Cli } from "./cli.ts";
import { offlineConfig } from "./config-offline.ts";

type Entry = Readonly<Record<string, unknown>>;

const tailBytes = 4 * 1024 * 1024;
const levels = ["DEBUG", "INFO", "WARN", "ERROR"];

export interface LogFileLines {
  readonly path: string;
  /** Oldest first. */
  readonly entries: readonly Entry[];
}

/** Null when there is no log file. */
export async function logFileLines(cli: Cli, limit: number, level: string | undefined): Promise<LogFileLines | null> {
  const path = await logPath(cli);
  const text = await tailOf(path);
  if (text === null) return null;
  const least = levels.indexOf((level ?? "debug").toUpperCase());
  const entries = text
    .split("\n")
    .map(entryOf)
    .filter((entry) => entry !== null)
    .filter((entry) => least <= 0 || levels.indexOf(String(entry.level).toUpperCase()) >= least);
  return { path, entries: entries.slice(-limit) };
}

/** By the config as it would be read; by the defaults while it cannot be. */
async function logPath(cli: Cli): Promise<string> {
  const { stateDir } = cli.places;
  const settings = await offlineConfig({ ...cli, out: { ...cli.out, note: () => undefined } })
    .then((config) => config.get("logging", "merged").value)
    .catch(() => undefined);
  const { dir, filename } = isObject(settings) ? settings : {};
  const folder = typeof dir === "string" && dir.trim() !== "" ? dir.replace(/^~(?=\/|$)/, homedir()) : "logs";
  return join(resolve(stateDir, folder), typeof filename === "string" ? filename : "chela.log");
}

async function tailOf(path: string): Promise<string | null> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - tailBytes);
      const bytes = Buffer.alloc(size - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return null;
    throw error;
  }
}

function entryOf(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
