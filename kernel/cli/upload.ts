/** Files to a gateway as a form, streamed from disk; its answer comes line by line while it works on them. */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "@chela/sdk";
import { unauthorized, unreachable } from "./client.ts";
import { pinned, type Target } from "./transport.ts";

export interface FilePart {
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

export interface Posting {
  readonly path: string;
  readonly files: readonly FilePart[];
  /** One line of the answer, parsed. What it throws ends the exchange. */
  readonly onLine: (line: Record<string, unknown>) => void;
}

const maxRefusal = 65_536;

export async function postFiles(target: Target, { path, files, onLine }: Posting): Promise<void> {
  const boundary = `chela-${randomUUID()}`;
  const heads = files.map(({ name }) => Buffer.from(head(boundary, name)));
  const tail = Buffer.from(`--${boundary}--\r\n`);
  const length = files.reduce((sum, { size }, index) => sum + (heads[index]?.length ?? 0) + size + 2, tail.length);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "content-length": length,
    accept: "application/json",
    ...(target.token && { authorization: `Bearer ${target.token}` }),
  };
  const body = async function* () {
    for (const [index, file] of files.entries()) {
      yield heads[index];
      // What is appended meanwhile belongs to the next import.
      if (file.size > 0) yield* createReadStream(file.path, { end: file.size - 1 });
      yield Buffer.from("\r\n");
    }
    yield tail;
  };
  const reply = await send(target, { path, headers, body: body() });
  if (reply.statusCode !== 200) throw await refusal(target, reply);
  let rest = "";
  for await (const piece of reply.setEncoding("utf8")) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(JSON.parse(line));
  }
}

/** Resolves with the reply, which may come before all of the body has gone. */
async function send(
  target: Target,
  { path, headers, body }: { path: string; headers: Record<string, string | number>; body: AsyncIterable<unknown> },
): Promise<IncomingMessage> {
  const url = new URL(`${target.url}${path}`);
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return new Promise((resolve, reject) => {
    const req = request(url, { method: "POST", agent: false, headers, ...pinned(target.certificate) });
    const failed = (error: unknown) => reject(GatewayError.is(error) ? error : unreachable(target, error));
    req.once("response", resolve).on("error", failed);
    pipeline(Readable.from(body), req).catch(failed);
  });
}

async function refusal(target: Target, reply: IncomingMessage): Promise<GatewayError> {
  let text = "";
  for await (const piece of reply.setEncoding("utf8")) if (text.length < maxRefusal) text += piece;
  const status = reply.statusCode ?? 502;
  if (status === 401) return unauthorized(target);
  if (status === 404) return new GatewayError("GATEWAY_REPLY", 404, noImport(target));
  try {
    const { code, error } = JSON.parse(text) as { code?: unknown; error?: unknown };
    if (typeof error === "string") return new GatewayError(String(code ?? "ERROR"), status, error);
  } catch {
    // A text, then.
  }
  return new GatewayError("GATEWAY_REPLY", status, text.trim() || `${target.url} answered with status ${status}.`);
}

function noImport({ url }: Target): string {
  return `${url} takes no transcripts: the plugin chat is not running there, or it is no Chela gateway. See: chela plugins list`;
}

function head(boundary: string, name: string): string {
  const safe = name.replaceAll(/["\r\n\\]/g, "_");
  const lines = [`--${boundary}`, `Content-Disposition: form-data; name="file"; filename="${safe}"`];
  return `${lines.join("\r\n")}\r\nContent-Type: application/x-ndjson\r\n\r\n`;
}
