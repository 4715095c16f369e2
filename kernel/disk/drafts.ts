/**
 * What a process that was killed left behind. Every draft of ours (a file before its rename, a lock before its link) ends
 * in `.PID-HEX`, `.tmp` or not: when that process is gone, so is the writer. Uploads have no pid; their age says it.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../process/processes.ts";

const draft = /\.(\d{1,10})-[0-9a-f]{12,}(?:\.tmp)?$/;

/** Folders of the state dir in which files are written beside their drafts. */
const places = [".", "auth", "backups/config", "plugins", "plugins/.manifests"];

export async function sweepDrafts(stateDir: string): Promise<void> {
  for (const place of places) await sweepFolder(join(stateDir, place));
}

async function sweepFolder(folder: string): Promise<void> {
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
