/**
 * Writes one reply: data as JSON, a Reply as it says. A streamed body respects back-pressure, ends when the client
 * leaves, and one that fails half-way cuts the connection, so that nobody takes it for complete.
 */
import type { ServerResponse } from "node:http";
import { Reply, type ReplyBody } from "@chela/sdk";
import type { ReplyBatch } from "./reply-batch.ts";
import { bodyTrouble, isBodiless } from "./reply-trouble.ts";

const left = Symbol("the client left");

export interface Outgoing {
  status: number;
  headers: Record<string, string>;
  readonly body: ReplyBody;
}

/** What a handler returned, in its outgoing form. undefined is 204. Throws for what cannot be sent. */
export function outgoing(value: unknown): Outgoing {
  if (Reply.is(value)) {
    const trouble = bodyTrouble(value);
    if (trouble !== undefined) throw new TypeError(trouble);
    return { status: value.status, headers: { ...value.headers }, body: isBodiless(value.status) ? null : value.body };
  }
  if (value === undefined) return { status: 204, headers: {}, body: null };
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} is no answer; return data, a Reply or nothing`);
  return { status: 200, headers: { "content-type": "application/json" }, body: `${text}\n` };
}

/** Hands text and bytes to the batch; a streamed body gives a promise that ends with the last byte, or rejects when the body failed. */
export function send(
  res: ServerResponse,
  out: Outgoing,
  signal: () => AbortSignal,
  batch: ReplyBatch,
): Promise<void> | undefined {
  if (res.headersSent || res.destroyed) return undefined;
  const { body, headers, status } = out;
  if (body !== null && typeof body !== "string" && !(body instanceof Uint8Array)) {
    res.writeHead(status, headers);
    // A first chunk that is there already leaves in one write with the headers; one that is late does not hold them back.
    const early = setImmediate(() => res.flushHeaders());
    return pump(res, body as AsyncIterable<string | Uint8Array>, { signal: signal(), early, batch });
  }
  if (body !== null)
    headers["content-length"] = String(typeof body === "string" ? Buffer.byteLength(body) : body.byteLength);
  else if (!isBodiless(status)) headers["content-length"] = "0";
  res.writeHead(status, headers);
  batch.end(res, body ?? undefined);
  return undefined;
}

/** One waiting slot per stream: the next chunk, the drained socket or the client's leaving, whichever comes first. */
async function pump(
  res: ServerResponse,
  body: AsyncIterable<string | Uint8Array>,
  { signal, early, batch }: { signal: AbortSignal; early: NodeJS.Immediate; batch: ReplyBatch },
): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  let wake: (gone: typeof left) => void = () => undefined;
  const leave = () => wake(left);
  signal.addEventListener("abort", leave, { once: true });
  res.once("close", leave);
  const orLeft = <T>(work: (resolve: (value: T | typeof left) => void, reject: (error: unknown) => void) => void) =>
    new Promise<T | typeof left>((resolve, reject) => {
      wake = resolve;
      if (signal.aborted || res.destroyed) resolve(left);
      else work(resolve, reject);
    });
  try {
    for (;;) {
      const next = await orLeft<IteratorResult<string | Uint8Array>>(
        (resolve, reject) => void iterator.next().then(resolve, reject),
      );
      clearImmediate(early);
      if (next === left) return void res.destroy();
      if (next.done) return batch.endNow(res, undefined);
      if (res.write(next.value)) continue;
      batch.mind(res);
      const drained = await orLeft<void>((resolve) => res.once("drain", resolve));
      if (drained === left) return void res.destroy();
    }
  } catch (error) {
    clearImmediate(early);
    res.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
    void Promise.resolve()
      .then(() => iterator.return?.())
      .catch(() => undefined);
  }
}
