/** The files of the workspace as the gateway tells them, and what is done to them. */
import type { MemoryHit, WorkspaceFile } from "@chela/sdk/panel";
import { call, get, post, request } from "../../client/http.ts";
import type { TextVersion } from "../../parts/text-draft.ts";

export interface FileRow extends WorkspaceFile {
  readonly kind: "document" | "memory" | "file";
}

export interface FileList {
  readonly root: string;
  /** Names of the documents that prompts are made of, there or not. */
  readonly documents: readonly string[];
  readonly files: readonly FileRow[];
  readonly truncated: boolean;
}

export interface OpenFile extends TextVersion {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
  /** No text: it can be looked at, but not edited. */
  readonly isBinary: boolean;
}

export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly at: number;
}

const route = "/api/workspace_file";

interface Told {
  readonly found: boolean;
  readonly content: string;
  readonly hash?: string;
  readonly size?: number;
  readonly modified_at?: number;
  readonly binary?: boolean;
}

export function listFiles(signal: AbortSignal): Promise<FileList> {
  return call("workspace.files", {}, { signal });
}

/** A file that is not there is empty and has no hash. */
export async function readFile(path: string, signal: AbortSignal): Promise<OpenFile> {
  const told = await get<Told>(`${route}?${new URLSearchParams({ path })}`, { signal });
  const { content, hash = "", size = 0, modified_at: modifiedAt = 0, binary = false } = told;
  return { path, text: content, hash, size, modifiedAt, isBinary: binary };
}

/** Only over the version that was read; where nothing was, only where nothing is. Resolves with the new hash. */
export async function writeFile(path: string, content: string, base: string): Promise<string> {
  const headers: Record<string, string> = base === "" ? { "if-none-match": "*" } : { "if-match": `"${base}"` };
  const { hash } = await post<{ hash: string }>(route, { path, content }, { headers });
  return hash;
}

export async function removeFile(path: string, base: string): Promise<void> {
  const headers = { "if-match": `"${base}"` };
  await request(`${route}?${new URLSearchParams({ path })}`, { method: "DELETE", headers });
}

export async function searchMemory(query: string, signal: AbortSignal): Promise<readonly MemoryHit[]> {
  const search = new URLSearchParams({ query: query.slice(0, 2000), limit: "30" });
  return (await get<{ results: readonly MemoryHit[] }>(`/api/memory/search?${search}`, { signal })).results;
}

export function listUploads(
  signal: AbortSignal,
): Promise<{ uploads: readonly Upload[]; count: number; bytes: number }> {
  return get("/api/upload", { signal });
}

export function uploadPath(id: string): string {
  return `/api/upload/${encodeURIComponent(id)}`;
}
