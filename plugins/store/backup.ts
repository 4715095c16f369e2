/** Writes a backup under a temporary name and renames it when it is complete: a file with the final name is always whole. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";

/** `copy` fills the temporary file, which exists, is empty and belongs to the owner alone. */
export async function backupTo(file: string, copy: (target: string) => Promise<void>): Promise<void> {
  const target = resolve(file);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const temporary = `${target}.${randomBytes(6).toString("hex")}.part`;
  await (await open(temporary, "wx", 0o600)).close();
  try {
    await copy(temporary);
    await chmod(temporary, 0o600);
    await flush(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what a process that was killed left half copied. Only while no backup into `folder` runs. */
export async function sweepBackups(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (/\.[0-9a-f]{12}\.part(-journal|-wal|-shm)?$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

/** The name of a backup inside the backup folder; never a path. */
export function backupName(wanted: string | undefined, now: Date): string {
  if (wanted === undefined) return `chela-${now.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15)}.db`;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(wanted) && !wanted.includes("..")) return wanted;
  const message =
    "file must be a plain name of letters, digits, dots, dashes and underscores: backups go into the store's own backup folder";
  throw new GatewayError("INVALID", 400, message);
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
