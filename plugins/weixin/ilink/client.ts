/**
 * One request to the iLink API: its headers, its limits of time and size, and its verdict, which stands in the body of a 200.
 * Whatever goes wrong is an error whose text holds nothing that was sent or answered in confidence.
 */
import { randomBytes } from "node:crypto";
import { type Context, cutText, GatewayError, isObject, jsonOf, messageOf } from "@chela/sdk";
import type { Settings } from "../settings.ts";
import { trustFor } from "./hosts.ts";

export interface Request {
  /** Without a slash at its end. */
  readonly base: string;
  /** From the slash on, with its query. */
  readonly path: string;
  /** What is sent as JSON, by POST; without it a GET. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What a text of the server's may not show to anybody. */
  readonly secrets: readonly string[];
}

export type Answer = Readonly<Record<string, unknown>>;
export type Client = (request: Request) => Promise<Answer>;

const maxBytes = 256 * 1024;
/** The client that this is modelled on, 2.4.9, as `major << 16 | minor << 8 | patch`. */
const clientVersion = String((2 << 16) | (4 << 8) | 9);

export function ilinkClient(fetch: Context["fetch"], settings: () => Settings): Client {
  return async (request) => {
    const { base, path, body, timeoutMs, signal, secrets } = request;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(base + path, {
        method: body ? "POST" : "GET",
        headers: headersFor(body !== undefined),
        ...(body ? { body: JSON.stringify(body) } : {}),
        redirect: "manual",
        signal: AbortSignal.any([signal, limit]),
        trust: trustFor(base, settings()),
        // The server holds some answers for longer than a stall may last.
        patient: true,
      });
      return verdict(await answerOf(response, path), secrets);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw failure("ILINK_TIMEOUT", `no answer within ${timeoutMs} ms`, path);
      if (GatewayError.is(error) && error.code.startsWith("ILINK_")) throw error;
      throw failure("ILINK_UNREACHABLE", withoutSecrets(messageOf(error), secrets), path);
    }
  };
}

/** A text of the server's for people: one line, not long, free of what it must not show. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== "") clean = clean.replaceAll(secret, "…");
  return cutText(clean.replace(/[\p{Cc}\s]+/gu, " ").trim(), 200, "…");
}

/** JSON whose whole numbers beyond 2^53 become texts, so that ids keep their last digits; an empty body is an empty object. */
export function parseAnswer(text: string): Answer | undefined {
  if (text.trim() === "") return {};
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  );
  const value = jsonOf(quoted);
  return isObject(value) ? value : undefined;
}

function headersFor(hasBody: boolean): Record<string, string> {
  const app = { "iLink-App-Id": "bot", "iLink-App-ClientVersion": clientVersion };
  if (!hasBody) return app;
  return {
    ...app,
    "content-type": "application/json",
    AuthorizationType: "ilink_bot_token",
    "X-WECHAT-UIN": Buffer.from(String(randomBytes(4).readUInt32BE())).toString("base64"),
  };
}

async function answerOf(response: Response, path: string): Promise<Answer> {
  const { status } = response;
  if (status !== 200) {
    await response.body?.cancel();
    if (status === 404 || status === 405) throw failure("ILINK_ABSENT", `HTTP ${status}`, path);
    throw failure(status >= 500 ? "ILINK_UNREACHABLE" : "ILINK_UNREADABLE", `HTTP ${status}`, path);
  }
  const answer = parseAnswer(await textOf(response, path));
  if (!answer) throw failure("ILINK_UNREADABLE", "the answer is no JSON object", path);
  return answer;
}

async function textOf(response: Response, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > maxBytes) throw failure("ILINK_UNREADABLE", `the answer has more than ${maxBytes} bytes`, path);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Either of two fields says that it failed, and the reason has two spellings. */
function verdict(answer: Answer, secrets: readonly string[]): Answer {
  const code = [answer.ret, answer.errcode].map(Number).find((one) => Number.isFinite(one) && one !== 0);
  if (code === undefined) return answer;
  const said = [answer.errmsg, answer.err_msg].find((one) => typeof one === "string" && one !== "");
  const reason = withoutSecrets(String(said ?? "no reason given"), secrets);
  throw new GatewayError("ILINK_REFUSED", 502, `iLink refused: ${reason} (ret ${code})`);
}

type Failure = "ILINK_TIMEOUT" | "ILINK_UNREACHABLE" | "ILINK_ABSENT" | "ILINK_UNREADABLE";

/** `path` is told without its query, which holds keys. */
function failure(code: Failure, reason: string, path: string): GatewayError {
  return new GatewayError(code, 502, `iLink ${path.split("?", 1)[0]}: ${reason}`);
}
