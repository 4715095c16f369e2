/**
 * JSON bodies and frames from strangers. Size is judged by the declared length, else at the byte; silence, total time,
 * depth and encoding are bounded; what comes out has no `__proto__` key. A reply that is sent before the body was read
 * ends the connection, politely: the client gets to see it.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Cancellation, GatewayError } from "@chela/sdk";

export interface BodyRules {
  /** Bytes. */
  readonly limit: number;
  /** Longest silence between two chunks. */
  readonly stallMs: number;
  /** Deadline for the whole body; strangers get one. */
  readonly totalMs?: number | undefined;
  /** Ends the wait: the owner was stopped, or the client left. */
  readonly cancellation?: Cancellation | undefined;
  /** Called when the declared length is acceptable, before the first byte is waited for. */
  readonly invite?: (() => void) | undefined;
}

const maxDepth = 64;
const lingerMs = 1000;

/** The parsed body; undefined when it is empty. Throws BODY_* errors; the message of bad JSON is `invalid json`. */
export function readJson(req: IncomingMessage, rules: BodyRules): Promise<unknown> {
  const { "content-length": declared, "content-encoding": encoding } = req.headers;
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    const message = "compressed bodies are not accepted; send the JSON as it is";
    return Promise.reject(new GatewayError("BODY_ENCODING", 415, message));
  }
  if (declared !== undefined && Number(declared) > rules.limit) return Promise.reject(tooLarge(rules.limit));
  rules.invite?.();
  return collect(req, rules, (bytes) => (bytes.length === 0 ? undefined : parseJson(bytes)));
}

/** What `read` makes of all bytes. */
function collect<T>(
  req: IncomingMessage,
  { limit, stallMs, totalMs, cancellation }: BodyRules,
  read: (bytes: Buffer) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    const settle = (): boolean => {
      const first = !over;
      over = true;
      clearTimeout(stall);
      clearTimeout(total);
      cancellation?.removeEventListener("abort", onAbort);
      req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      return first;
    };
    const fail = (error: unknown) => {
      if (!settle()) return;
      req.pause();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) return fail(tooLarge(limit));
      chunks.push(chunk);
      stall.refresh();
    };
    const onEnd = () => {
      if (!settle()) return;
      try {
        resolve(read(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)));
      } catch (error) {
        reject(error);
      }
    };
    const onGone = () => fail(gone());
    const onAbort = () => fail(cancellation?.reason ?? gone());
    const stall = setTimeout(() => fail(tooSlow(`nothing arrived for ${stallMs} ms`)), stallMs);
    const total =
      totalMs === undefined ? undefined : setTimeout(() => fail(tooSlow(`not complete after ${totalMs} ms`)), totalMs);
    if (cancellation?.aborted) return onAbort();
    if (req.destroyed && !req.complete) return onGone();
    cancellation?.addEventListener("abort", onAbort, { once: true });
    req.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

/** One JSON text. Throws `BAD_JSON` 400 for bytes that are no UTF-8, no JSON, or nested deeper than 64 levels. */
export function parseJson(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) throw invalid();
  if (isTooDeep(buffer)) throw new GatewayError("BAD_JSON", 400, `json is nested deeper than ${maxDepth} levels`);
  const start = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0;
  const text = buffer.toString("utf8", start);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid();
  }
  // An escape can spell any letter of the name, so both spellings lead to the slower look.
  if (text.includes("__proto__") || text.includes("\\u00")) dropProto(value);
  return value;
}

/** Counts brackets outside of strings. Not deep is the answer for text that is no JSON: the parser says the rest. */
function isTooDeep(bytes: Buffer): boolean {
  if (bytes.length <= maxDepth) return false;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0x22) {
      i = stringEnd(bytes, i + 1);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** Index of the closing quote, or the length. Long strings (images) are crossed at memory speed. */
function stringEnd(bytes: Buffer, from: number): number {
  const near = Math.min(bytes.length, from + 48);
  let i = from;
  for (; i < near; i++) {
    if (bytes[i] === 0x5c) i += 1;
    else if (bytes[i] === 0x22) return i;
  }
  for (;;) {
    const quote = bytes.indexOf(0x22, i);
    if (quote === -1) return bytes.length;
    let first = quote;
    while (first > i && bytes[first - 1] === 0x5c) first -= 1;
    if ((quote - first) % 2 === 0) return quote;
    i = quote + 1;
  }
}

function dropProto(root: unknown): void {
  const pending: unknown[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) Reflect.deleteProperty(value, "__proto__");
    for (const item of Object.values(value)) if (typeof item === "object" && item !== null) pending.push(item);
  }
}

/**
 * For replies that go out while the body is still coming: the connection ends with the reply. The rest is read away for
 * a moment, because closing at once would reset the connection and take the reply with it. Call it before the headers go.
 */
export function drain(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete || res.headersSent || !hasBody(req)) return;
  res.setHeader("connection", "close");
  const { socket } = req;
  const stop = () => socket.destroy();
  // node calls this after a last reply, to close both directions; we close ours and let the client finish reading.
  socket.destroySoon = () => {
    const timer = setTimeout(stop, lingerMs);
    socket.once("close", () => clearTimeout(timer));
    req.once("end", stop).once("close", stop).resume();
    socket.end();
  };
}

/** A client that waits with its body (`Expect: 100-continue`) is told to send it: only once it is wanted and not too large. */
export function invite(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.expect !== undefined && req.httpVersionMinor > 0) res.writeContinue();
}

/** True when the client announced a body, read or not. */
export function hasBody(req: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": transfer } = req.headers;
  return transfer !== undefined || (length !== undefined && length !== "0");
}

function tooLarge(limit: number): GatewayError {
  return new GatewayError("BODY_TOO_LARGE", 413, `the body is larger than ${limit} bytes`);
}

function tooSlow(what: string): GatewayError {
  return new GatewayError("BODY_TIMEOUT", 408, `the body came too slowly: ${what}`);
}

function gone(): GatewayError {
  return new GatewayError("CLIENT_GONE", 499, "the client closed the connection");
}

function invalid(): GatewayError {
  return new GatewayError("BAD_JSON", 400, "invalid json");
}
