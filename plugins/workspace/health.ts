/** Whether the workspace can be used. One that does not exist yet can: it is made when it is needed. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Health } from "@chela/sdk";

export async function folderHealth(path: string): Promise<Health> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (facts instanceof Error) return { ok: facts.code === "ENOENT", path, reason: facts.code };
  if (!facts.isDirectory()) return { ok: false, path, reason: "is no folder" };
  const closed = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => true);
  return closed ? { ok: false, path, reason: "may not be read or written" } : { ok: true, path };
}
