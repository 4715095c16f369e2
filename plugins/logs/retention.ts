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

/** Newest first, until one of the limits is reached; resolves to the names it deleted. A file that cannot be deleted stays and is tried again next time. */
export async function sweep(dir: string, filename: string, keep: Retention, now = Date.now()): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  let total = await sizeOf(join(dir, filename));
  const deleted: string[] = [];
  const rotated = names.filter((name) => name.startsWith(filename) && stamp.test(name.slice(filename.length)));
  for (const name of rotated.sort().reverse()) {
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
