/**
 * One POST to a gateway: by fetch, or, where its own file in the state dir holds the certificate that it shows, over TLS
 * that trusts exactly that one. A certificate is seldom made out to 127.0.0.1, and often signed by nobody.
 */
import type { Gateway } from "./client.ts";

export type Target = Pick<Gateway, "url" | "token" | "certificate">;

export interface Asked {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

interface Posted {
  readonly status: number;
  readonly text: string;
}

const replyLimit = 64 * 1024 * 1024;

/** Follows no redirect: the token stays where it was sent. */
export async function post({ url, certificate }: Target, path: string, asked: Asked): Promise<Posted> {
  if (certificate !== undefined) return postPinned(`${url}${path}`, certificate, asked);
  const reply = await fetch(`${url}${path}`, { method: "POST", redirect: "error", ...asked });
  return { status: reply.status, text: await readLimited(reply.body ?? []) };
}

/** Options of a TLS client that knows the other side by its certificate alone. */
export function pinned(certificate: string | undefined) {
  if (certificate === undefined) return {};
  return { ca: certificate, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
}

async function postPinned(url: string, certificate: string, { headers, body, signal }: Asked): Promise<Posted> {
  const { request } = await import("node:https");
  return new Promise((resolve, reject) => {
    const options = { method: "POST", agent: false, headers, signal, ...pinned(certificate) };
    const req = request(url, options, (res) => {
      readLimited(res).then((text) => resolve({ status: res.statusCode ?? 0, text }), reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

async function readLimited(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > replyLimit) throw new Error(`a reply of more than ${replyLimit} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
