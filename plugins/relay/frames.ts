/** The frames of `/v1/ws` (ClawGo §7): `{id, type, payload?}`. Bodies are text; `encoding: "base64"` beside one says it is not. */
import { isUtf8 } from "node:buffer";
import { type RelayRequest, type Static, Type } from "@chela/sdk";
import { badFrame } from "./failures.ts";

/** From the client. A payload is judged when it is clear which request it belongs to. */
export const UpFrame = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 200, description: "Of the request that it belongs to" })),
  type: Type.String({
    maxLength: 100,
    description: "http_response, stream_start, stream_chunk, stream_end, error, ping, pong",
  }),
  payload: Type.Optional(Type.Unknown({ description: "By type: status, headers, body, chunk, error" })),
});
export type UpFrame = Static<typeof UpFrame>;

export interface DownFrame {
  readonly id: string;
  readonly type: "http_request" | "cancel" | "pong" | "error";
  readonly payload?: Readonly<Record<string, unknown>>;
}

export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export type Payload = Readonly<Record<string, unknown>>;

export function requestFrame(id: string, { method, url, headers = {}, body = "" }: RelayRequest): DownFrame {
  const text = typeof body === "string" || isUtf8(body);
  const payload = {
    method,
    url,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    body: typeof body === "string" ? body : Buffer.from(body).toString(text ? "utf8" : "base64"),
    ...(!text && { encoding: "base64" }),
    // A client that knows them may answer bodies that are no text in one of these.
    encodings: ["base64"],
    sent_at: new Date().toISOString(),
  };
  return { id, type: "http_request", payload };
}

export function errorFrame(id: string, error: string): DownFrame {
  return { id, type: "error", payload: { error } };
}

export function payloadOf(frame: UpFrame): Payload {
  const { payload } = frame;
  if (payload === undefined || payload === null) return {};
  if (typeof payload !== "object" || Array.isArray(payload)) throw badFrame("payload must be an object");
  return payload as Payload;
}

export function headOf(payload: Payload): Head {
  const { status, headers } = payload;
  const absent = status === undefined || status === null || status === 0;
  if (!absent && !(Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 599)) {
    throw badFrame("status must be a number from 100 to 599");
  }
  return { status: absent ? 200 : (status as number), headers: headersOf(headers) };
}

/** Bytes of `body` or `data`. */
export function bytesOf(payload: Payload, name: "body" | "data"): Buffer {
  const value = payload[name] ?? "";
  if (typeof value !== "string") throw badFrame(`${name} must be a string`);
  const { encoding } = payload;
  if (encoding === undefined || encoding === null || encoding === "" || encoding === "utf8") return Buffer.from(value);
  if (encoding !== "base64") throw badFrame("encoding must be utf8 or base64");
  if (!/^[A-Za-z0-9+/_-]*={0,2}\s*$/.test(value)) throw badFrame(`${name} is not base64`);
  return Buffer.from(value, "base64");
}

/** The text and status of an `error` frame. */
export function failureOf(payload: Payload): { text: string; status: number | undefined } {
  const { error, status } = payload;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const plain = (typeof error === "string" ? error : "").replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  const number = typeof status === "number" && Number.isInteger(status) && status > 0 ? status : undefined;
  return { text: plain.slice(0, 2_000) || "wsrelay: the client reports an error", status: number };
}

function headersOf(value: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  if (value === undefined || value === null) return headers;
  if (typeof value !== "object" || Array.isArray(value)) throw badFrame("headers must be an object");
  for (const [name, one] of Object.entries(value)) {
    const list: readonly unknown[] = Array.isArray(one) ? one : [one];
    headers[name.toLowerCase()] = list.filter((item) => item !== null && item !== undefined).join(", ");
  }
  return headers;
}
