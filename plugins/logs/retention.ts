/** Deletes rotated log files that are too old or too many bytes together. The file being written is never touched. */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

export interface Retention {
  readonly maxAgeMs: number;
  /** Of all files together, the current one included. */
  readonly maxTotalBytes: number;
}

const stamp = /^\.\d{8}-\d{6}(?:-\d+)?$/;

/** `chela.log.20251121-093000`, in UTC; a second one within the same second gets `-2`. */
export function rotatedName(filename: string, at: Date, index: number): string {
  const [date, time] = at.toISOString().slice(0, 19).split("T") as [string, string];
  const suffix = index > 1 ? `-${index}` : "";
  return `${filename}.${date.replaceAll("-", "")}-${time.replaceAll(":", "")}${suffix}`;
}

/** Of the rotated files there are, the newest first. */
export async function rotatedNames(dir: string, filename: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  const rotated = names.filter((name) => name.startsWith(filename) && stamp.test(name.slice(filename.length)));
  return rotated.sort().reverse();
}

/** Newest first, until one of the limits is reached; resolves to the names it deleted. A file that cannot be deleted stays and is tried again next time. */
export async function sweep(dir: string, filename: string, keep: Retention, now = Date.now()): Promise<string[]> {
  let total = await sizeOf(join(dir, filename));
  const deleted: string[] = [];
  for (const name of await rotatedNames(dir, filename)) {
    const path = join(dir, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isFile()) continue;
    total += facts.size;
    if (total <= keep.maxTotalBytes && now - facts.mtimeMs <= keep.maxAgeMs) continue;
    if (await removed(path)) deleted.push(name);
  }
  return deleted;
}

function removed(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  );
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
