/** list_dir: what a folder holds, bounded in number and depth. Links are named and never followed. */
import type { Dirent } from "node:fs";
import { lstat, opendir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";
import { belowRoot, placeIn } from "./place.ts";

export interface ListInput {
  readonly path: string;
  readonly recursive: boolean;
}

const maxEntries = 1_000;
const maxRead = 20_000;
const maxDepth = 12;
/** Folders that hold more than anybody wants to read; they are named, not opened. */
const closed: ReadonlySet<string> = new Set([".git", "node_modules", ".venv", "__pycache__"]);

interface Listing {
  readonly lines: string[];
  full: boolean;
}

export async function listDirTool(ctx: Ctx, input: ListInput, signal: AbortSignal): Promise<string> {
  const root = present(ctx, "workspace").folder();
  const path = belowRoot(root, input.path);
  const folder = await placeIn(ctx.use.files, root, path);
  if (folder === undefined && path === ".") return ". is empty: nothing was written into the workspace yet.";
  const stats = folder === undefined ? undefined : await lstat(folder).catch(() => undefined);
  if (!stats || folder === undefined)
    throw new GatewayError("FILE_MISSING", 404, `there is no folder ${JSON.stringify(input.path)}`);
  if (!stats.isDirectory()) throw new GatewayError("NOT_A_FOLDER", 400, `${JSON.stringify(input.path)} is no folder`);
  const listing: Listing = { lines: [], full: false };
  await list(folder, "", input.recursive ? maxDepth : 1, { listing, signal });
  if (listing.lines.length === 0) return `${path} is empty.`;
  const note = listing.full ? `\n[cut at ${maxEntries} entries; list a folder below]` : "";
  return listing.lines.join("\n") + note;
}

async function list(
  folder: string,
  prefix: string,
  depth: number,
  to: { readonly listing: Listing; readonly signal: AbortSignal },
): Promise<void> {
  to.signal.throwIfAborted();
  const entries = await entriesOf(folder);
  // Between the check and the reading somebody may have put a link in the folder's place.
  if ((await realpath(folder)) !== folder) throw new GatewayError("PATH_REFUSED", 400, "the folder changed meanwhile");
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (to.listing.lines.length >= maxEntries) {
      to.listing.full = true;
      return;
    }
    const name = prefix + entry.name;
    to.listing.lines.push(await lineFor(folder, entry, name));
    if (entry.isDirectory() && depth > 1 && !closed.has(entry.name))
      await list(join(folder, entry.name), `${name}/`, depth - 1, to).catch(passOver(name, to.listing));
  }
}

/** A folder that went meanwhile, or that may not be read, does not hide the others. */
function passOver(name: string, { lines }: Listing): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code === "EACCES" || error.code === "EPERM") lines.push(`${name}/ may not be read`);
    else if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
  };
}

/** Of a folder with more than anybody will be shown, some. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await opendir(folder)) {
    entries.push(entry);
    if (entries.length >= maxRead) break;
  }
  return entries;
}

async function lineFor(folder: string, entry: Dirent, name: string): Promise<string> {
  const safe = /[\p{Cc}\p{Cf}]/u.test(name) ? JSON.stringify(name) : name;
  if (entry.isDirectory()) return `${safe}/`;
  if (entry.isSymbolicLink()) return `${safe} (link)`;
  if (!entry.isFile()) return `${safe} (no regular file)`;
  const stats = await lstat(join(folder, entry.name)).catch(() => undefined);
  return stats ? `${safe}  ${stats.size} B` : safe;
}
