/** Goes through a folder of the workspace and those below it, within bounds; never follows a link to a folder. */
import { opendir } from "node:fs/promises";
import type { Tree } from "./tree.ts";

export interface Walk {
  /** 1: the folder alone. */
  readonly depth: number;
  /** Entries at most, of any kind. */
  readonly most: number;
  /** A file, or a link that may be one. */
  take(path: string): void;
  /** Whether to go into a folder of this name; absent: into all. */
  enter?(name: string): boolean;
}

/** `folder`: below the workspace, or empty. True when there was more than `most`. */
export async function walk(tree: Tree, folder: string, { depth, most, take, enter }: Walk): Promise<boolean> {
  let seen = 0;
  const visit = async (at: string, left: number): Promise<boolean> => {
    const real = await tree.resolve(at === "" ? "." : at);
    const entries = real && (await opendir(real).catch(absent));
    if (!entries) {
      tree.assertUsable();
      return false;
    }
    const folders: string[] = [];
    for await (const entry of entries) {
      if (seen >= most) return true;
      seen += 1;
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory() && (enter?.(entry.name) ?? true)) folders.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) take(path);
    }
    if (left <= 1) return false;
    for (const inner of folders.sort()) if (await visit(inner, left - 1).catch(passedOver)) return true;
    return false;
  };
  return visit(folder, depth);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}

const unreadable: ReadonlySet<unknown> = new Set(["PATH_REFUSED", "EACCES", "EPERM", "ENAMETOOLONG"]);

/** A folder below that may not be read, or whose name no path may have, hides nothing else. */
function passedOver(error: { readonly code?: unknown }): false {
  if (unreadable.has(error.code)) return false;
  throw error;
}
