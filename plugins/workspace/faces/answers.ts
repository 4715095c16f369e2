/** How these routes read and answer: ClawGo's texts, with versions as ETag and hash added. */
import { GatewayError, isObject, Reply } from "@chela/sdk";
import { invalidPath } from "../paths.ts";
import { type Condition, type TextFile, textOf } from "../tree.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A file as a client reads it; what is no text comes whole with `?encoding=base64` only. */
export function shown(path: string, file: TextFile, encoding?: unknown): Record<string, unknown> {
  const facts = { hash: file.hash, size: file.size, modified_at: file.modifiedAt };
  if (encoding === "base64") return { path, content: file.bytes.toString("base64"), encoding, ...facts };
  const { text, binary } = textOf(file.bytes);
  return { path, content: text, ...(binary && { binary }), ...facts };
}

export function versioned(data: Record<string, unknown>, hash: string): Reply {
  return Reply.json(data, { headers: { etag: `"${hash}"` } });
}

export interface Edit {
  readonly path: string;
  readonly bytes: Buffer;
  readonly condition: Condition;
}

/** The body of a write. Keys in any letter case, null is absent; a wrong type is 400 `invalid json`. */
export function readEdit(body: unknown, headers: Headers): Edit {
  const nothing = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  if (nothing || !isObject(body)) throw invalidJson();
  const content = textField(body, "content");
  const encoding = textField(body, "encoding");
  if (encoding !== "" && encoding !== "utf8" && encoding !== "base64") {
    throw new GatewayError("INVALID", 400, `unknown encoding ${JSON.stringify(encoding.slice(0, 40))}: utf8 or base64`);
  }
  const bytes = Buffer.from(content, encoding === "base64" ? "base64" : "utf8");
  return { path: textField(body, "path"), bytes, condition: conditionOf(headers, textField(body, "base_hash")) };
}

/** `If-Match: "hash"` (or `base_hash`): only over this version, `*`: over any. `If-None-Match: *`: only where nothing is. */
export function conditionOf(headers: Headers, baseHash = ""): Condition {
  const match = single(headers["if-match"])
    .trim()
    .replace(/^W\//, "")
    .replace(/^"(.*)"$/, "$1");
  const hash = match === "" || match === "*" ? baseHash : match;
  const fresh = single(headers["if-none-match"]).trim() === "*";
  return { hash: hash === "" ? undefined : hash, there: fresh ? false : match === "*" ? true : undefined };
}

export function missing(): GatewayError {
  return new GatewayError("FILE_MISSING", 500, "file does not exist");
}

/**
 * Runs one request. In this dialect a path that may not be used is `invalid path`, and what the file system refuses is a 400
 * with a sentence of it; no path of this machine is shown.
 */
export async function inDialect<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (GatewayError.is(error)) throw error.code === "PATH_REFUSED" ? invalidPath(error) : error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (full.has(code)) {
      const message = "the disk is full or the file may not grow: nothing was changed";
      throw new GatewayError("DISK_FULL", 507, message, undefined, { cause: error });
    }
    const why = reasons[code] ?? `the file system says ${code}`;
    throw new GatewayError("FILE_REFUSED", 400, `${path.slice(0, 300)}: ${why}`, undefined, { cause: error });
  }
}

const full: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

const reasons: Readonly<Record<string, string>> = {
  ENAMETOOLONG: "file name too long",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
  ENOTDIR: "not a directory",
  EEXIST: "not a directory",
  ENOENT: "no such file or directory",
  EISDIR: "is a directory",
};

function invalidJson(): GatewayError {
  return new GatewayError("BAD_JSON", 400, "invalid json");
}

function textField(body: Readonly<Record<string, unknown>>, name: string): string {
  const key = Object.keys(body).findLast((one) => one.toLowerCase() === name);
  const value = key === undefined ? undefined : body[key];
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw invalidJson();
  return value;
}

function single(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? "";
}
