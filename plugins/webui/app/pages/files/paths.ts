/** Paths of the workspace: what a new file may be called, and how a list of them is shown. */
import { href } from "../../client/router.ts";
import type { FileList, FileRow } from "./api.ts";

export type PathProblem = "empty" | "outside" | "type" | "taken";

export interface Entry {
  readonly path: string;
  /** Undefined: a document that is not there. */
  readonly row: FileRow | undefined;
}

export interface Folder {
  /** `documents`, `memory`, or the path of a folder. */
  readonly id: string;
  readonly entries: readonly Entry[];
}

/** The address of a file in this page. */
export function fileHref(path: string, line?: number): string {
  const query = new URLSearchParams({ path, ...(line !== undefined && { line: String(line) }) });
  return `${href("files")}?${query}`;
}

export function problemOf(path: string, taken: readonly FileRow[]): PathProblem | undefined {
  const parts = path.split("/");
  if (path.trim() === "") return "empty";
  if (path.startsWith("/") || /[\\\0]/.test(path) || parts.some((part) => /^\.|^\s*$/.test(part))) return "outside";
  if (!/[^/]\.(?:md|markdown)$/i.test(path)) return "type";
  return taken.some((row) => row.path === path) ? "taken" : undefined;
}

/** The documents first, then the memory, then the other folders by name. */
export function foldersOf({ documents, files }: FileList): readonly Folder[] {
  const known = new Map(files.map((row) => [row.path, row]));
  const named = documents.filter((path) => known.get(path)?.kind !== "memory");
  const folders = new Map<string, Entry[]>([
    ["documents", named.map((path) => ({ path, row: known.get(path) }))],
    ["memory", []],
  ]);
  for (const row of files) {
    if (row.kind === "document") continue;
    const id = row.kind === "memory" ? "memory" : folderOf(row.path);
    const entries = folders.get(id) ?? [];
    entries.push({ path: row.path, row });
    folders.set(id, entries);
  }
  return [...folders].map(([id, entries]) => ({ id, entries })).filter(({ entries }) => entries.length > 0);
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
}

/** `2026-11-21`, of the day at this browser. */
export function today(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
