/** Turns what SQLite and the file system report into one GatewayError each, with a sentence that says what to do. */
import { GatewayError, messageOf } from "@chela/sdk";

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const code = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  interrupt: 9,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  tooBig: 18,
  constraint: 19,
  notADatabase: 26,
} as const;

/** After these SQLite may have rolled the whole transaction back by itself. */
const transactionEnders: ReadonlySet<number> = new Set([code.busy, code.noMemory, code.interrupt, code.io, code.full]);

/** The package's `all()` loses the number; SQLite's own texts are fixed. */
const texts: ReadonlyMap<string, number> = new Map([
  ["database is locked", code.busy],
  ["disk I/O error", code.io],
  ["database disk image is malformed", code.corrupt],
  ["database or disk is full", code.full],
  ["file is not a database", code.notADatabase],
]);

/** The primary result code, or 0 for what SQLite did not throw. */
function resultCode(error: unknown): number {
  const { errcode, code: name, message } = (error ?? {}) as { errcode?: unknown; code?: unknown; message?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return name === "ERR_SQLITE_ERROR" ? (texts.get(String(message)) ?? 0) : 0;
}

export function isBusy(error: unknown): boolean {
  const result = resultCode(error);
  return result === code.busy || result === code.locked;
}

/** True when the surrounding transaction cannot be trusted any more. */
export function endsTransaction(error: unknown): boolean {
  return transactionEnders.has(resultCode(error));
}

/** `file` is named in the message, so that an operator knows where to look. */
export function storeFault(error: unknown, file: string): GatewayError {
  if (GatewayError.is(error)) return error;
  const said = messageOf(error);
  const make = (name: string, status: number, message: string) =>
    new GatewayError(name, status, message, undefined, { cause: error });
  switch (resultCode(error)) {
    case code.corrupt:
    case code.notADatabase:
      return damaged(file, said, error);
    case code.busy:
    case code.locked:
      return make(
        "STORE_LOCKED",
        503,
        `the database ${file} is locked by another process: end that process, then try again`,
      );
    case code.full:
      return make("STORE_FULL", 507, `the disk with the database ${file} is full: free some space, then try again`);
    case code.readOnly:
      return make(
        "STORE_READONLY",
        500,
        `the database ${file} cannot be written: check the rights of the file and its folder`,
      );
    case code.cantOpen:
      return make(
        "STORE_UNAVAILABLE",
        500,
        `the database ${file} cannot be opened: check that its folder exists and may be written`,
      );
    case code.io:
      return make("STORE_IO", 500, `reading or writing the database ${file} failed (${said}): check the disk`);
    case code.tooBig:
      return make("STORE_TOO_BIG", 413, "the value is too big for the database");
    case code.constraint:
      return make("STORE_CONSTRAINT", 409, said);
    default:
      return fileFault(error, file) ?? make("STORE_STATEMENT", 500, `the database refused a statement: ${said}`);
  }
}

export function damaged(file: string, why: string, cause?: unknown): GatewayError {
  const message = `the database ${file} is damaged (${why}): put it aside and restore a backup in its place`;
  return new GatewayError("STORE_DAMAGED", 500, message, undefined, { cause });
}

function fileFault(error: unknown, file: string): GatewayError | undefined {
  const name = (error as { code?: unknown } | null)?.code;
  const options = { cause: error };
  if (name === "ENOSPC" || name === "EDQUOT") {
    return new GatewayError(
      "STORE_FULL",
      507,
      `the disk with ${file} is full: free some space, then try again`,
      undefined,
      options,
    );
  }
  if (name === "EACCES" || name === "EPERM" || name === "EROFS") {
    return new GatewayError(
      "STORE_READONLY",
      500,
      `${file} cannot be written (${name}): check the rights of its folder`,
      undefined,
      options,
    );
  }
  if (name === "ENOENT" || name === "ENOTDIR" || name === "EISDIR" || name === "EEXIST") {
    return new GatewayError(
      "STORE_UNAVAILABLE",
      500,
      `${file} cannot be opened (${name}): check the path`,
      undefined,
      options,
    );
  }
  return undefined;
}
