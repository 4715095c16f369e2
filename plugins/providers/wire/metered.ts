/**
 * The usage of a stream that passes straight through, for clients that had not asked for it: the upstream is asked all the
 * same, and its one event of usage is taken out on the way. Only an event that a chunk breaks off is held back.
 */
import { objectOf } from "@chela/sdk";

const marker = '"usage":';
const bareUsage = /"choices":\s*\[\s*\]/;
/** A longer piece without an end of an event is no event of usage. */
const heldBytes = 64 * 1024;

/** Whether a request has to be metered: the client streams and left the matter open. */
export function isOpen(body: Readonly<Record<string, unknown>>): boolean {
  if (body.stream !== true) return false;
  const { include_usage: asked } = objectOf(body.stream_options);
  return asked === undefined || asked === null || asked === false;
}

export function withUsage(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...body, stream_options: { ...objectOf(body.stream_options), include_usage: true } };
}

export function withoutUsage(source: AsyncIterable<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer | undefined;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    for (;;) {
      const result = await iterator.next();
      if (result.done && !held) return result;
      const bytes = result.done ? (held as Buffer) : joined(held, result.value);
      held = undefined;
      const last = endOfLast(bytes);
      const end = result.done || bytes.length - last > heldBytes ? bytes.length : last;
      if (end < bytes.length) held = bytes.subarray(end);
      const whole = stripped(bytes.subarray(0, end));
      if (whole.length > 0) return { done: false, value: whole };
      if (result.done) return result;
    }
  };
  const stripping: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => stripping,
    next,
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return stripping;
}

function joined(held: Buffer | undefined, chunk: Uint8Array): Buffer {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return held ? Buffer.concat([held, bytes]) : bytes;
}

/** Where the last whole event ends; nearly always the end of the chunk. */
function endOfLast(bytes: Buffer): number {
  if (bytes.at(-1) === 0x0a && (bytes.at(-2) === 0x0a || (bytes.at(-2) === 0x0d && bytes.at(-3) === 0x0a)))
    return bytes.length;
  const [lf, crlf] = [bytes.lastIndexOf("\n\n"), bytes.lastIndexOf("\r\n\r\n")];
  return Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 4);
}

function stripped(bytes: Buffer): Buffer {
  if (!bytes.includes(marker)) return bytes;
  const events = bytes.toString("utf8").split(/(?<=\r?\n\r?\n)/);
  const kept = events.filter((event) => !(event.includes(marker) && bareUsage.test(event)));
  return kept.length === events.length ? bytes : Buffer.from(kept.join(""));
}
