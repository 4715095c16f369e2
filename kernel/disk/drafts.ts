/**
 * What a process that was killed left behind. Every draft of ours (a file before its rename, a lock before its link) ends
 * in `.PID-HEX`, `.tmp` or not: when that process is gone, so is the writer. Uploads have no pid; their age says it.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../process/processes.ts";

const draft = /\.(\d{1,10})-[0-9a-f]{12,}(?:\.tmp)?$/;

/** Folders of the state dir in which files are written beside their drafts; those of plugins are below `data`. */
const places = [".", "auth", "backups/config", "plugins", "plugins/.manifests"];
const pluginDepth = 2;
/** Deeper ones are swept when something is written there again. */
const workspaceDepth = 3;
/** Others' own, and large. */
const passedOver = /^\.|^node_modules$/;

export async function sweepDrafts(stateDir: string): Promise<void> {
  for (const place of places) await sweepFolder(join(stateDir, place));
  for (const folder of await foldersBelow(join(stateDir, "data"), pluginDepth)) await sweepFolder(folder);
  const workspace = join(stateDir, "workspace");
  for (const folder of [workspace, ...(await foldersBelow(workspace, workspaceDepth))]) await sweepFolder(folder);
}

async function foldersBelow(folder: string, depth: number): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries
    .filter((entry) => entry.isDirectory() && !passedOver.test(entry.name))
    .map(({ name }) => join(folder, name));
  const deeper = depth > 1 ? await Promise.all(folders.map((each) => foldersBelow(each, depth - 1))) : [];
  return [...folders, ...deeper.flat()];
}

export async function sweepFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(draft.exec(name)?.[1] ?? 0);
    if (pid > 0 && pid !== process.pid && !isAlive({ pid })) await rm(join(folder, name), { force: true });
  }
}

/** Files of a folder, which may be missing, that were last written before `time` (milliseconds since 1970). */
export async function sweepOlder(folder: string, time: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if ((await stat(path)).mtimeMs < time) await rm(path, { force: true });
  }
}
