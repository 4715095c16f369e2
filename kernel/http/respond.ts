/** Writes one reply: data as JSON, a Reply as it says. */
import type { ServerResponse } from "node:http";
import { type Cancellation, Reply, type ReplyBody } from "@chela/sdk";
import { letGo, pump } from "./pump.ts";
import type { ReplyBatch } from "./reply-batch.ts";
import { bodyTrouble, isBodiless } from "./reply-trouble.ts";

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
  cancellation: () => Cancellation,
  batch: ReplyBatch,
): Promise<void> | undefined {
  const { body, headers, status } = out;
  const isStream = body !== null && typeof body !== "string" && !(body instanceof Uint8Array);
  if (res.headersSent || res.destroyed) return void (isStream && letGo(body as AsyncIterable<unknown>));
  if (isStream) {
    res.writeHead(status, headers);
    // A first chunk that is there already leaves in one write with the headers; one that is late does not hold them back.
    const early = setImmediate(() => res.flushHeaders());
    return pump(body as AsyncIterable<string | Uint8Array>, { res, cancellation: cancellation(), early, batch });
  }
  if (body !== null)
    headers["content-length"] = String(typeof body === "string" ? Buffer.byteLength(body) : body.byteLength);
  else if (!isBodiless(status)) headers["content-length"] = "0";
  res.writeHead(status, headers);
  batch.end(res, body ?? undefined);
  return undefined;
}
