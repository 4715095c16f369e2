/**
 * The door to sirv. The files of a folder are fixed when the handler is made: what came later does not exist, what was
 * deleted is "not found", what changed is refused with a sentence. Dotfiles, folder listings and links out of the folder
 * are never served, and no file that goes away under a request can do more than cut that one connection.
 */
import type { Dirent, ReadStream, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { type Access, GatewayError } from "@chela/sdk";
import { codeOf, isInside, resolveInside } from "../disk/files.ts";

/**
 * Serves `path` (below the folder, starting with `/`, percent-encoded as the router saw it). False when there is no such
 * file; else resolves when the reply is over.
 */
export type StaticHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<boolean>;

export interface ServeOptions {
  readonly access?: Access;
  readonly immutable?: boolean;
  readonly compressed?: boolean;
}

type Engine = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** Throws `STATIC_FOLDER` when the folder is missing or holds a link that leads to a folder, nowhere or outside. */
export async function staticHandler(folder: string, options: ServeOptions = {}): Promise<StaticHandler> {
  const root = await realpath(folder).catch(() => {
    throw new GatewayError("STATIC_FOLDER", 500, `the static folder ${folder} does not exist; build it before setup`);
  });
  const files = new Map<string, Stats>();
  await scan(root, "", files);
  const [{ default: sirv }, { lookup }] = await Promise.all([import("sirv"), import("mrmime")]);
  const engine = sirv(root, { etag: true, extensions: [] }) as Engine;
  return async (req, res, path, headers = {}) => {
    if (req.method !== "GET" && req.method !== "HEAD") throw wrongMethod();
    const name = fileName(path);
    const chosen = name === undefined ? undefined : choose(files, name, options.compressed ? req : undefined);
    const known = chosen && files.get(chosen.file);
    if (!(name && chosen && known) || !(await unchanged(root, chosen.file, known))) return false;
    // Whose client left meanwhile closes no second time.
    if (res.destroyed) return true;
    const own = { ...fixedHeaders(lookup(name)), "cache-control": caching(name, options) };
    const vary = [headers.vary, chosen.vary].filter(Boolean).join(", ");
    for (const [header, value] of Object.entries({ ...headers, ...own, ...(vary && { vary }) }))
      res.setHeader(header, value);
    await run(engine, res, plainRequest(chosen.encoded ? withoutRange(req) : req, chosen.file, known.size));
    return true;
  };
}

/** Every file that may be served, by its path with `/`. */
async function scan(root: string, below: string, files: Map<string, Stats>): Promise<void> {
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    await assertHarmlessLink(root, name, entry);
    // A `?` cannot reach sirv inside a path.
    if (entry.name.startsWith(".") || entry.name.includes("?")) continue;
    if (entry.isDirectory()) await scan(root, name, files);
    else files.set(name.normalize(), await stat(join(root, name)));
  }
}

/** sirv follows links by itself, into loops too: only links to files inside the folder are let near it. */
async function assertHarmlessLink(root: string, name: string, entry: Dirent): Promise<void> {
  if (!entry.isSymbolicLink()) return;
  const target = await realpath(join(root, name)).catch(() => undefined);
  if (target !== undefined && isInside(root, target) && (await stat(target)).isFile()) return;
  const message = `${join(root, name)} is a link to a folder, to nowhere or out of the static folder; copy the files instead`;
  throw new GatewayError("STATIC_FOLDER", 500, message);
}

const encodings = [
  { name: "br", ending: ".br" },
  { name: "gzip", ending: ".gz" },
] as const;

interface Choice {
  readonly file: string;
  readonly encoded: boolean;
  /** What the choice hangs on. */
  readonly vary: string;
}

/** The file to send for `name`: with a request, the smallest of its forms that the client can read. */
function choose(files: ReadonlyMap<string, Stats>, name: string, req: IncomingMessage | undefined): Choice | undefined {
  if (!files.has(name)) return undefined;
  const plain = { file: name, encoded: false, vary: "" };
  if (!req) return plain;
  if (encodings.some(({ ending }) => name.endsWith(ending) && files.has(name.slice(0, -ending.length))))
    return undefined;
  const forms = encodings.filter(({ ending }) => files.has(name + ending));
  if (forms.length === 0) return plain;
  const vary = "Accept-Encoding";
  const form = forms.find((each) => reads(req.headers["accept-encoding"], each.name));
  return form ? { file: name + form.ending, encoded: true, vary } : { ...plain, vary };
}

/** Whether `Accept-Encoding` names this encoding, and not to refuse it. */
function reads(header: string | string[] | undefined, encoding: string): boolean {
  const offers = String(header ?? "")
    .toLowerCase()
    .split(",");
  return offers.some((offer) => {
    const [name = "", ...parameters] = offer.split(";").map((part) => part.trim());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

/** `-` or `.`, a hash of at least eight characters, the ending. A word is no hash: that has a digit or a capital. */
const hashed = /[-.](?=[\w-]*[0-9A-Z])[\w-]{8,}\.\w+$/;

function caching(name: string, { access, immutable }: ServeOptions): string {
  if (!immutable || !hashed.test(name)) return "no-cache";
  return `${access === "public" ? "public" : "private"}, max-age=31536000, immutable`;
}

/** The path of a file below the folder; a folder means its `index.html`. Undefined for what cannot be decoded. */
function fileName(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path).replace(/^\//, "").normalize();
    return decoded === "" || decoded.endsWith("/") ? `${decoded}index.html` : decoded;
  } catch {
    return undefined;
  }
}

/** False when the file is gone (or became a link out of the folder). */
async function unchanged(root: string, name: string, known: Stats): Promise<boolean> {
  let now: Stats;
  try {
    now = await stat(await resolveInside(root, name));
  } catch (error) {
    if (codeOf(error) === "PATH_REFUSED" || codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
  if (now.isFile() && now.size === known.size && now.mtimeMs === known.mtimeMs) return true;
  throw new GatewayError("STATIC_CHANGED", 503, `${name} changed after its plugin was set up; reload the plugin`);
}

function fixedHeaders(type = "application/octet-stream"): Record<string, string> {
  return {
    "content-type": type.startsWith("text/") ? `${type}; charset=utf-8` : type,
    "x-content-type-options": "nosniff",
  };
}

/** A range counts bytes of the file itself, not of a compressed form. */
function withoutRange({ method, headers }: IncomingMessage): IncomingMessage {
  return { method, headers: { "if-none-match": headers["if-none-match"] } } as IncomingMessage;
}

interface PlainRequest {
  readonly req: IncomingMessage;
  /** Bytes the body of a 200 or 206 will have. */
  readonly bytes: number;
}

/** The request as sirv understands it: the file's own path and a range it cannot misread. */
function plainRequest(req: IncomingMessage, name: string, size: number): PlainRequest {
  const range = req.headers["if-range"] === undefined ? simpleRange(req.headers.range, size) : undefined;
  const headers = {
    "if-none-match": req.headers["if-none-match"],
    range: range && `bytes=${range.start}-${range.end}`,
  };
  const plain = { method: req.method, url: `/${encodeURI(name)}`, headers } as unknown as IncomingMessage;
  return { req: plain, bytes: range ? range.end - range.start + 1 : size };
}

/**
 * One range in absolute numbers; undefined serves the whole file, which is always allowed. sirv reads `-3` as "up to
 * byte 3" and an end of 0 as "to the end".
 */
function simpleRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "")
    return to === "0" ? { start: size, end: size } : nonZeroEnd(Math.max(0, size - Number(to)), size - 1);
  if (to !== "" && Number(to) < Number(from)) return undefined;
  if (Number(from) >= size) return { start: size, end: size };
  return nonZeroEnd(Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1));
}

function nonZeroEnd(start: number, end: number): { start: number; end: number } | undefined {
  return end > 0 ? { start, end } : undefined;
}

/** Lets sirv answer and resolves when the reply is over. Its file stream has no error handler of its own: this is it. */
function run(engine: Engine, res: ServerResponse, { req, bytes }: PlainRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    res.once("close", resolve);
    res.once("pipe", (source: ReadStream) => {
      source.once("error", () => res.destroy());
      source.once("end", () => {
        if (source.bytesRead !== bytes) res.destroy();
      });
      res.once("close", () => source.destroy());
    });
    engine(req, res, () => reject(new GatewayError("NOT_FOUND", 404, "404 page not found")));
  });
}

function wrongMethod(): GatewayError {
  return new GatewayError("METHOD_NOT_ALLOWED", 405, "method not allowed", undefined, {
    headers: { allow: "GET, HEAD" },
  });
}
