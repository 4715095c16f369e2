/** What root writes (`sudo chela config set …`) stays with the user whose state dir it is, who must read and write it again. */
import { chownSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Location } from "./locate.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined where there is nothing to hand back: no file, or a process that is not root. */
export function ownerOf(path: string): Owner | undefined {
  return process.getuid?.() === 0 ? statSync(path, { throwIfNoEntry: false }) : undefined;
}

/** The config file to `owner`, or, when it is new, like everything else to the owner of the state dir. */
export function handBack(location: Location, owner: Owner | undefined): void {
  const home = ownerOf(location.stateDir);
  if (!home) return;
  give(location.configPath, owner ?? home);
  if (home.uid === 0) return;
  const backups = join(location.stateDir, "backups");
  const names = existsSync(backups) ? readdirSync(backups, { recursive: true, encoding: "utf8" }) : [];
  for (const name of ["config-journal.jsonl", "backups", ...names.map((each) => join("backups", each))])
    give(join(location.stateDir, name), home);
}

function give(path: string, { uid, gid }: Owner): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now && (now.uid !== uid || now.gid !== gid)) chownSync(path, uid, gid);
}
