/** What is wrong with the files of installed plugins and does not show in the list of plugins. Reads; changes nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../disk/files.ts";
import { isAlive } from "../process/processes.ts";
import { assertIntact } from "./installed-entry.ts";
import { draftPid, type Lock, type PluginDirs, pluginDirs, readLock } from "./lock.ts";

export interface FileFinding {
  readonly level: "error" | "warning" | "info";
  /** Plugin id, or empty. */
  readonly plugin: string;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

/** Checks every byte of every installed plugin, and looks for folders that no list names. */
export async function fileFindings(stateDir: string): Promise<readonly FileFinding[]> {
  const dirs = pluginDirs(stateDir);
  let lock: Lock;
  try {
    lock = await readLock(dirs);
  } catch (error) {
    return [{ level: "error", plugin: "", message: (error as Error).message, fix: `look at ${dirs.lockFile}` }];
  }
  return [...(await changed(dirs, lock)), ...(await orphans(dirs, lock))];
}

async function changed(dirs: PluginDirs, lock: Lock): Promise<FileFinding[]> {
  const found: FileFinding[] = [];
  for (const [id, record] of Object.entries(lock.plugins)) {
    const root = join(dirs.root, record.folder);
    if ((await names(root)).length === 0) continue; // The list says that it is gone.
    try {
      await assertIntact(id, root, record);
    } catch (error) {
      found.push({
        level: "error",
        plugin: id,
        message: (error as Error).message,
        fix: `chela plugins install ${record.source}`,
      });
    }
  }
  return found;
}

async function orphans(dirs: PluginDirs, lock: Lock): Promise<FileFinding[]> {
  const found: FileFinding[] = [];
  const known = new Set([...lock.retired, ...Object.values(lock.plugins).map(({ folder }) => folder)]);
  for (const name of await names(dirs.root)) {
    const pid = draftPid(name);
    if (pid !== undefined && !isAlive({ pid })) found.push(orphan("", join(dirs.root, name)));
    if (name.startsWith(".") || name === "lock.json" || name === "node_modules") continue;
    for (const version of await names(join(dirs.root, name))) {
      if (!known.has(`${name}/${version}`)) found.push(orphan(name, join(dirs.root, name, version)));
    }
  }
  return found;
}

function orphan(plugin: string, path: string): FileFinding {
  return {
    level: "warning",
    plugin,
    message: `${path} belongs to no installed plugin`,
    fix: `delete it: rm -r ${path}`,
  };
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
