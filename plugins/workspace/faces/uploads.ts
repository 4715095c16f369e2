/** `/api/upload`: takes a file in, tells of those there are, hands one back, deletes one. */
import { GatewayError, Reply, type UploadedFile } from "@chela/sdk";
import type { Core } from "../core.ts";
import { fileContent, fileFacts } from "../uploads/file-facts.ts";
import { attachmentHeader } from "../uploads/names.ts";

const mostListed = 1_000;

/** What arrived as a multipart file is an upload; what a body says of itself is not. */
export async function takeUpload(core: Core, files: readonly UploadedFile[]): Promise<unknown> {
  const file = files.find(({ field }) => field === "file");
  if (!file) throw new GatewayError("INVALID", 400, "file required");
  const upload = await core.uploads.take(file);
  const path = core.uploads.pathOf(upload);
  const facts = await fileFacts(path, upload.name);
  const { id, name, size } = upload;
  return { ok: true, path, name, id, size, type: facts?.type, url: `/api/upload/${id}` };
}

export async function listUploads(core: Core): Promise<unknown> {
  const all = await core.uploads.list();
  const uploads = all.slice(0, mostListed).map(({ id, name, size, at }) => ({ id, name, size, at }));
  return { ok: true, uploads, count: all.length, bytes: all.reduce((sum, { size }) => sum + size, 0) };
}

/** Never shown as a page of ours, whatever it is. */
export async function sendUpload(core: Core, id: string): Promise<Reply> {
  const upload = await core.uploads.get(id);
  const path = upload && core.uploads.pathOf(upload);
  const facts = path && (await fileFacts(path, upload.name));
  if (!upload || !facts) throw unknown();
  const headers = {
    "content-type": facts.type.startsWith("text/") ? `${facts.type}; charset=utf-8` : facts.type,
    "content-length": String(facts.size),
    "content-disposition": attachmentHeader(upload.name),
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
  };
  return new Reply(fileContent(path as string, facts.size), { headers });
}

export async function removeUpload(core: Core, id: string): Promise<unknown> {
  if (!(await core.uploads.remove(id))) throw unknown();
  return { ok: true, deleted: true, id };
}

function unknown(): GatewayError {
  return new GatewayError("UPLOAD_UNKNOWN", 404, "upload not found");
}
