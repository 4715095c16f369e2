/**
 * Unpacks a plugin's `.tgz`. The whole archive is read and judged first; only when every entry is a plain file or folder
 * inside the limits is anything written. What it inflates to is counted as it comes, so a bomb costs what a limit allows.
 */
import { createReadStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Parser, ReadEntry } from "tar";
import { archiveError, assertTakeable, assertWithin, isLitter, type TreeLimits } from "./tree.ts";

export interface ArchiveLimits extends TreeLimits {
  /** Of the file as it lies there. */
  readonly packedBytes: number;
  /** Inflated bytes per packed byte, once more than a megabyte is inflated. */
  readonly ratio: number;
}

interface Judged {
  /** Name in the archive → path below the plugin's folder. */
  readonly files: Map<string, string>;
  readonly seen: Set<string>;
  bytes: number;
  links: string[];
}

const freeBytes = 1024 * 1024;
/** Headers and padding per file, roughly, on top of the contents. */
const overheadPerFile = 4096;

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Unpacks `file` into `folder`, which is created. The folder that wraps everything in the archive is left out. */
export async function unpackTarball(file: string, folder: string, limits: ArchiveLimits): Promise<void> {
  const { size } = await stat(file);
  if (size > limits.packedBytes) throw archiveError(`the archive has ${size} bytes; at most ${limits.packedBytes}`);
  const { Parser, Unpack } = await import("tar");
  const judged: Judged = { files: new Map(), seen: new Set(), bytes: 0, links: [] };
  const reader = new Parser({
    strict: true,
    onReadEntry: (entry) => entry.resume(),
    filter: (_, entry) => judge(entry as ReadEntry, judged, limits),
  });
  await feed(reader, inflate(file, size, limits));
  const paths = withoutWrapper(judged);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const writer = new Unpack({
    cwd: folder,
    strict: true,
    noMtime: true,
    preserveOwner: false,
    dmode: 0o755,
    filter: (name, entry) => redirect(paths.get(name), entry as ReadEntry),
  });
  await feed(writer, inflate(file, size, limits));
}

/** Called once per entry of the archive; throws at the first that breaks a rule. */
function judge(entry: ReadEntry, judged: Judged, limits: TreeLimits): boolean {
  const path = plainPath(entry.path);
  if (path !== ".") assertTakeable(path, limits.depth + 1);
  if (entry.type === "Directory") return false;
  if (isLitter(path) || path.split("/").some(isLitter)) return false;
  if (entry.type === "SymbolicLink" || entry.type === "Link") {
    judged.links.push(path);
    return false;
  }
  if (entry.type !== "File" && entry.type !== "OldFile")
    throw archiveError(`${path} is a ${entry.type}; a plugin consists of plain files`);
  const folded = path.toLowerCase();
  if (judged.seen.has(folded)) throw archiveError(`${path} occurs twice`);
  judged.seen.add(folded);
  judged.files.set(entry.path, path);
  judged.bytes += entry.size;
  assertWithin({ files: judged.files.size, bytes: judged.bytes, path, size: entry.size }, limits);
  return true;
}

function redirect(path: string | undefined, entry: ReadEntry): boolean {
  if (path === undefined) return false;
  entry.path = path;
  entry.mode = 0o644;
  return true;
}

/** `./a//b` → `a/b`; what leads elsewhere stays as it is, for the judge. */
function plainPath(path: string): string {
  if (path.startsWith("/")) return path;
  const kept = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  return kept.join("/") || ".";
}

/**
 * npm wraps all files in `package/`, `tar czf x.tgz folder` in the folder's name, `tar -C folder .` in nothing. Links are
 * what node_modules of a working copy is full of: they are left out there and refused elsewhere.
 */
function withoutWrapper(judged: Judged): Map<string, string> {
  const paths = [...judged.files.values()];
  if (paths.length === 0) throw archiveError("the archive holds no file");
  const wrapper = paths.includes("package.json") ? "" : `${(paths[0] as string).split("/")[0]}/`;
  if (!paths.includes(`${wrapper}package.json`) || !paths.every((path) => path.startsWith(wrapper))) {
    throw archiveError("there is no package.json at its top");
  }
  const link = judged.links.find((path) => !path.startsWith(`${wrapper}node_modules/`));
  if (link !== undefined) throw archiveError(`${link} is a link; a plugin consists of plain files`);
  return new Map([...judged.files].map(([name, path]) => [name, path.slice(wrapper.length)]));
}

/** Node's gunzip, its output counted. What is not gzip, or is packed once more, is refused. */
async function* inflate(file: string, packed: number, limits: ArchiveLimits): AsyncGenerator<Buffer> {
  const most = limits.bytes + limits.files * overheadPerFile;
  let inflated = 0;
  const gunzip = createGunzip();
  pipeline(createReadStream(file), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (inflated === 0 && isPacked(chunk)) throw archiveError("it is packed more than once");
      inflated += chunk.length;
      if (inflated > most) throw archiveError(`it inflates to more than ${most} bytes`);
      if (inflated > freeBytes && inflated > packed * limits.ratio) {
        throw archiveError(`it inflates to more than ${limits.ratio} times its size`);
      }
      yield chunk;
    }
  } catch (error) {
    throw (error as { errno?: number }).errno === undefined
      ? error
      : archiveError("it is not a sound .tgz file", error);
  } finally {
    gunzip.destroy();
  }
}

/** tar would unpack gzip or zstd inside our gzip by itself, uncounted. */
function isPacked(head: Buffer): boolean {
  return head.subarray(0, 2).equals(gzipMagic) || head.subarray(0, 4).equals(zstdMagic);
}

/** tar's parsers are event emitters with a `write`, not streams. */
async function feed(parser: Parser, chunks: AsyncIterable<Buffer>): Promise<void> {
  const trouble: unknown[] = [];
  const failed = new Promise<void>((resolve) => {
    parser.on("error", (error: unknown) => {
      trouble.push(error);
      resolve();
    });
  });
  const ended = new Promise<void>((resolve) => parser.on("end", resolve));
  let complete = false;
  parser.on("eof", () => {
    complete = true;
  });
  for await (const chunk of chunks) {
    const flowing = parser.write(chunk);
    // What follows the end of an archive is padding, or a bomb.
    if (trouble.length > 0 || complete) break;
    if (!flowing) await Promise.race([failed, new Promise<void>((resolve) => parser.once("drain", resolve))]);
  }
  if (trouble.length === 0) {
    parser.end();
    await Promise.race([failed, ended]);
  }
  if (trouble.length > 0) throw archiveError(`it is damaged (${(trouble[0] as Error).message})`, trouble[0]);
}
