/** `/api/workspace_file` and `/api/workspace_docs`: files of the workspace by path, and its documents. */
import { GatewayError } from "@chela/sdk";
import type { Core } from "../core.ts";
import { allDocuments } from "../documents/names.ts";
import { cleanPath, invalidPath } from "../paths.ts";
import type { Condition } from "../tree.ts";
import { type Edit, inDialect, missing, shown, versioned } from "./answers.ts";

export async function readFile(core: Core, sent: unknown, encoding?: unknown): Promise<unknown> {
  const path = cleanPath(sent);
  const file = await inDialect(path, () => core.tree.read(path));
  if (!file) return { ok: true, path, found: false, content: "" };
  return versioned({ ok: true, found: true, ...shown(path, file, encoding) }, file.hash);
}

export async function writeFile(core: Core, edit: Edit): Promise<unknown> {
  const path = cleanPath(edit.path);
  const { hash, size, modifiedAt } = await inDialect(path, () => core.tree.write(path, edit.bytes, edit.condition));
  return versioned({ ok: true, path, saved: true, hash, size, modified_at: modifiedAt }, hash);
}

export async function removeFile(core: Core, sent: unknown, condition: Condition): Promise<unknown> {
  const path = cleanPath(sent);
  const removed = await inDialect(path, () => core.remove(path, condition));
  if (!removed) throw new GatewayError("FILE_MISSING", 404, "file does not exist");
  return { ok: true, deleted: true, path };
}

export async function readDocuments(core: Core, sent: string | undefined): Promise<unknown> {
  if (sent === undefined || sent.trim() === "") return listDocuments(core);
  const path = sent.trim();
  if (!(allDocuments as readonly string[]).includes(path)) throw invalidPath();
  const file = await inDialect(path, () => core.tree.read(path));
  if (!file) throw missing();
  return versioned({ ok: true, ...shown(path, file) }, file.hash);
}

async function listDocuments(core: Core): Promise<unknown> {
  const documents = await core.list("documents");
  core.tree.assertUsable();
  const items = documents.map(({ path, size, modifiedAt }) => ({ name: path, size, modified_at: modifiedAt }));
  return { ok: true, files: items.map(({ name }) => name), items };
}
