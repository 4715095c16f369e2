/** What a client asked of the simulated iLink API, and where it broke the rules of the wire. */
import type { IncomingHttpHeaders } from "node:http";

export type Side = "A" | "B";

export interface Asked {
  readonly side: Side;
  readonly method: string;
  /** Below the prefix, without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Of a POST; undefined when there is none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly at: number;
  finishedAt: number;
  /** The client left before it had its answer. */
  aborted: boolean;
  answer: { readonly status: number; readonly body: unknown } | undefined;
}

/** The rules that every call has to keep; `before` is the one that came before it. */
export function violationsOf(asked: Asked, before: Asked | undefined, bytes: number): string[] {
  const { method, headers, path } = asked;
  const uin = uinOf(headers);
  const isPost = method === "POST";
  const rules: readonly (readonly [boolean, string])[] = [
    [headers["ilink-app-id"] === "bot", "iLink-App-Id is not bot"],
    [/^\d+$/.test(String(headers["ilink-app-clientversion"])), "iLink-App-ClientVersion is no number"],
    [headers.authorization === undefined, "a login call is authorized"],
    [!isPost || headers["content-type"] === "application/json", "Content-Type is not application/json"],
    [!isPost || headers.authorizationtype === "ilink_bot_token", "AuthorizationType is not ilink_bot_token"],
    [!isPost || uin !== undefined, "X-WECHAT-UIN is no base64 of a uint32"],
    [!isPost || uin !== (before && uinOf(before.headers)), "X-WECHAT-UIN is the one of the call before"],
    [!isPost || Number(headers["content-length"]) === bytes, "Content-Length is not the number of bytes"],
    [isPost || headers["x-wechat-uin"] === undefined, "a GET has an X-WECHAT-UIN"],
  ];
  return rules.filter(([isKept]) => !isKept).map(([, what]) => `${method} ${path}: ${what}`);
}

function uinOf(headers: IncomingHttpHeaders): string | undefined {
  const text = Buffer.from(String(headers["x-wechat-uin"] ?? ""), "base64").toString("latin1");
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? text : undefined;
}
