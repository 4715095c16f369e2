/** What makes a Reply one that cannot be sent: told before its first byte, so that the client gets an error instead of half an answer. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { messageOf, type Reply } from "@chela/sdk";

/** Cheap enough for every reply: node itself checks the headers when it writes them. */
export function bodyTrouble({ status, body }: Pick<Reply, "status" | "body">): string | undefined {
  if (!isStatus(status)) return `the status of a reply is 200 to 599, not ${String(status)}`;
  const streamed = body !== null && typeof body !== "string" && !(body instanceof Uint8Array);
  if (!streamed) return undefined;
  if (isBodiless(status)) return `a reply with status ${status} has no body`;
  const iterable =
    typeof body === "object" && typeof (body as AsyncIterable<unknown>)[Symbol.asyncIterator] === "function";
  return iterable ? undefined : "the body of a reply is text, bytes, an async iterable of these, or null";
}

/** The same with the headers. */
export function replyTrouble(reply: Reply): string | undefined {
  try {
    for (const [name, value] of Object.entries(reply.headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return bodyTrouble(reply);
  } catch (error) {
    return messageOf(error);
  }
}

export function isStatus(status: unknown): boolean {
  return Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
}

export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
