/** What root writes (`sudo chela config set …`) stays with the user whose state dir it is, who must read and write it again. */
import { chown, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Location } from "./locate.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined where there is nothing to hand back: no file, or a process that is not root. */
export async function ownerOf(path: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return stat(path).catch(() => undefined);
}

/** The config file to `owner`, or, when it is new, like everything else to the owner of the state dir. */
export async function handBack(location: Location, owner: Owner | undefined): Promise<void> {
  const home = await ownerOf(location.stateDir);
  if (!home) return;
  await give(location.configPath, owner ?? home);
  if (home.uid === 0) return;
  const backups = join(location.stateDir, "backups");
  for (const path of [join(location.stateDir, "config-journal.jsonl"), backups]) await give(path, home);
  for (const name of await readdir(backups, { recursive: true }).catch(() => [])) await give(join(backups, name), home);
}

async function give(path: string, { uid, gid }: Owner): Promise<void> {
  const now = await stat(path).catch(() => undefined);
  if (now && (now.uid !== uid || now.gid !== gid)) await chown(path, uid, gid);
}
