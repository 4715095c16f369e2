/** `/api/memory`: the files of the memory folder. */
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { GatewayError } from "@chela/sdk";
import type { Core } from "../core.ts";
import { cleanPath, memoryOf } from "../paths.ts";
import type { Condition } from "../tree.ts";
import { type Edit, inDialect, missing, shown, versioned } from "./answers.ts";

export interface MemoryQuery {
  readonly path?: string | undefined;
  /** The memory of this agent instead of the main one. */
  readonly agent?: string | undefined;
  readonly encoding?: string | undefined;
}

export async function readMemory(core: Core, { path, agent, encoding }: MemoryQuery): Promise<unknown> {
  if (path === undefined || path.trim() === "") return listMemory(core, agent);
  const clean = cleanPath(path);
  const file = await inDialect(clean, () => core.notes.read(posix.join(memoryOf(agent), clean), agent));
  if (!file) throw missing();
  return versioned({ ok: true, ...shown(clean, file, encoding) }, file.hash);
}

export async function writeMemory(core: Core, edit: Edit, agent?: string): Promise<unknown> {
  const clean = cleanPath(edit.path);
  const path = posix.join(memoryOf(agent), clean);
  return inDialect(clean, async () => {
    await assertFolder(core, clean, agent);
    const { hash, size, modifiedAt } = await core.notes.replace(path, edit.bytes, edit.condition, agent);
    return versioned({ ok: true, path: clean, hash, size, modified_at: modifiedAt }, hash);
  });
}

export async function removeMemory(core: Core, { path, agent }: MemoryQuery, condition: Condition): Promise<unknown> {
  const clean = cleanPath(path);
  const removed = await inDialect(clean, () => core.remove(posix.join(memoryOf(agent), clean), condition));
  if (!removed) throw missing();
  return { ok: true, deleted: true, path: clean };
}

export interface SearchQuery {
  readonly query: string;
  readonly limit: number;
  readonly agent?: string | undefined;
}

export async function searchMemory(core: Core, { query, limit, agent }: SearchQuery): Promise<unknown> {
  return { ok: true, query, results: await core.searchMemory(query, limit, agent) };
}

async function listMemory(core: Core, agent: string | undefined): Promise<unknown> {
  const { files, truncated } = await core.notes.list(agent);
  const items = files.map(({ path, size, modifiedAt }) => ({
    name: posix.basename(path),
    size,
    modified_at: modifiedAt,
  }));
  return { ok: true, files: items.map(({ name }) => name), items, ...(truncated && { truncated }) };
}

/** Folders below the memory are not made by writing into them. */
async function assertFolder(core: Core, clean: string, agent: string | undefined): Promise<void> {
  const folder = posix.dirname(clean);
  if (folder === ".") return;
  const path = await core.tree.resolve(posix.join(memoryOf(agent), folder));
  if (path && (await stat(path).catch(() => undefined))?.isDirectory()) return;
  throw new GatewayError("FILE_REFUSED", 400, `${clean}: no such file or directory`);
}
