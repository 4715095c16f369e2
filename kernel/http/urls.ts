/**
 * The one reading of a request target, before auth: what can be read in two ways is refused, so guard and router cannot
 * disagree. Nothing is rewritten; the router gets the very bytes that were judged here.
 */
import { GatewayError } from "@chela/sdk";

export interface Target {
  /** Without the base path. Empty for the base path alone, without a slash. */
  readonly path: string;
  /** What stood before it: the base path, or nothing. */
  readonly base: string;
  /** With its `?`; empty when there is none. */
  readonly search: string;
}

const maxLength = 8192;
/** Below these an encoded slash is part of a name (`openai%2Fgpt-5`), read by one `:param` or by a trailing wildcard. */
const slashInName = ["/v1/models/"] as const;

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const question = 0x3f;

/**
 * Throws `BAD_PATH` 400 on anything but one plain absolute path and a query. `basePath` is taken off once, as the very bytes
 * that were configured; a path that does not begin with it is left as it is.
 */
export function canonicalPath(raw: string | undefined, basePath = ""): Target {
  if (raw === undefined || raw.charCodeAt(0) !== slash) throw bad("must begin with /");
  if (raw.length > maxLength) throw bad(`is longer than ${maxLength} characters`);
  const from = basePath !== "" && raw.startsWith(`${basePath}/`) ? basePath.length : 0;
  let segment = 1;
  let high = false;
  let i = 1;
  for (; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === question) break;
    if (code === slash) {
      checkSegment(raw, segment, i);
      segment = i + 1;
    } else if (code === percent) {
      const byte = checkEscape(raw, i, from);
      if (byte >= 0x80) high = true;
      if (byte === slash) checkSegment(raw, segment, i);
      i += 2;
      if (byte === slash) segment = i + 1;
    } else if (code <= 0x20 || code > 0x7e || isForbidden(code)) {
      throw bad(reasonOf(code));
    }
  }
  if (isDots(raw, segment, i)) throw bad("has a dot segment");
  const whole = i === raw.length ? raw : raw.slice(0, i);
  if (high) checkUtf8(whole);
  const search = i === raw.length ? "" : checkSearch(raw, i);
  if (from > 0) return { path: whole.slice(from), base: basePath, search };
  return whole === basePath ? { path: "", base: basePath, search } : { path: whole, base: "", search };
}

/** `\`, `;` and `#` mean something else to somebody. */
function isForbidden(code: number): boolean {
  return code === 0x5c || code === 0x3b || code === 0x23;
}

function checkSegment(raw: string, from: number, to: number): void {
  if (from === to) throw bad("has an empty segment (//)");
  if (isDots(raw, from, to)) throw bad("has a dot segment");
}

function isDots(raw: string, from: number, to: number): boolean {
  if (to - from < 1 || to - from > 2 || raw.charCodeAt(from) !== dot) return false;
  return to - from === 1 || raw.charCodeAt(from + 1) === dot;
}

/** The byte of the escape at `at`, when it is one that only has one reading. The path proper begins at `from`. */
function checkEscape(raw: string, at: number, from: number): number {
  const byte = hexByte(raw, at + 1);
  if (byte < 0) throw bad("has a % that starts no escape");
  if (byte < 0x20 || byte === 0x7f) throw bad("has an encoded control character");
  const named = (prefix: string) => at >= from + prefix.length && raw.startsWith(prefix, from);
  if (byte === slash && !slashInName.some(named)) {
    throw bad("has an encoded slash");
  }
  if (byte === 0x5c || byte === 0x3b)
    throw bad(byte === 0x5c ? "has an encoded backslash" : "has an encoded semicolon");
  if (byte === percent && hexByte(raw, at + 3) >= 0) throw bad("is encoded twice");
  if (isUnreserved(byte))
    throw bad(`encodes ${JSON.stringify(String.fromCharCode(byte))}, which is to be written plainly`);
  return byte;
}

/** Letters, digits, `-`, `.` and `_`: an escape of these is a second spelling of the same path. */
function isUnreserved(byte: number): boolean {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === dot || byte === 0x5f;
}

function hexByte(raw: string, at: number): number {
  const high = hexDigit(raw.charCodeAt(at));
  const low = hexDigit(raw.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Overlong forms, surrogates and cut sequences included. */
function checkUtf8(path: string): void {
  try {
    decodeURIComponent(path);
  } catch {
    throw bad("is not valid UTF-8 once decoded");
  }
}

function checkSearch(raw: string, from: number): string {
  for (let i = from + 1; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code <= 0x20 || code > 0x7e || code === 0x23) throw bad(reasonOf(code));
  }
  return raw.slice(from);
}

function reasonOf(code: number): string {
  if (code <= 0x20 || code === 0x7f) return "has a space or control character";
  if (code > 0x7f) return "has a character that is not ASCII; percent-encode it";
  return `has a ${JSON.stringify(String.fromCharCode(code))}; percent-encode it`;
}

function bad(why: string): GatewayError {
  return new GatewayError("BAD_PATH", 400, `the request path ${why}`);
}
