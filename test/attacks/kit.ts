/** A gateway with every built-in plugin on a real port, and raw bytes to attack it with. */
import { readdirSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { Plugin } from "@chela/sdk";
import { connectTo, startHost, type TestHost, type TestHostOptions, type TestSocket } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";

const folder = new URL("../../plugins/", import.meta.url);

/** Every plugin folder, discovered: a new one is attacked without being named here. */
export async function builtins(): Promise<Plugin[]> {
  const names = readdirSync(folder).filter((name) => readdirSync(new URL(`${name}/`, folder)).includes("index.ts"));
  return Promise.all(
    names.map(
      async (name) => ((await import(new URL(`${name}/index.ts`, folder).href)) as { default: Plugin }).default,
    ),
  );
}

/** What would ask a server of its vendor asks a port where nobody listens. */
const nobodyOutside = { channels: { weixin: { base_url: "http://127.0.0.1:9" } } };

/** A gateway with all of them, and `more`. The caller stops it. One that is started again has the config that lies there. */
export async function gatewayWith(more: readonly Plugin[], options: Partial<TestHostOptions> = {}): Promise<TestHost> {
  const { config, stateDir } = options;
  const asItIs = typeof config === "string" || (stateDir !== undefined && config === undefined);
  const inside = asItIs ? {} : { config: { ...nobodyOutside, ...(config as object | undefined) } };
  return startHost({ port: 0, env: {}, ...options, ...inside, plugins: [...(await builtins()), ...more] });
}

/** Started for one test, stopped with it. */
export async function attacked(
  options: Partial<TestHostOptions> = {},
  more: readonly Plugin[] = [],
): Promise<TestHost> {
  const host = await gatewayWith(more, options);
  onTestFinished(() => host.stop());
  return host;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request over a fresh connection, with exactly these headers; nothing is normalised on the way. */
export function send(
  host: Pick<TestHost, "url">,
  path: string,
  init: { method?: string; headers?: Record<string, string | string[]>; body?: string | Uint8Array } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(host.url);
  const { body, headers = {}, method = body === undefined ? "GET" : "POST" } = init;
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      { hostname, port, path, method, agent: false, headers: { connection: "close", ...headers } },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() }),
        );
        res.on("error", reject);
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** One RPC method over the plain door. */
export async function call(host: TestHost, method: string, params: unknown, token: string = host.token) {
  const answer = await send(host, "/api/call", {
    headers: { ...bearer(token), "content-type": "application/json" },
    body: JSON.stringify({ method, params }),
  });
  return { status: answer.status, text: answer.text, body: JSON.parse(answer.text || "null") as CallReply };
}

export interface CallReply {
  readonly ok: boolean;
  readonly result?: never;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A named key with these scopes, made by the owner. */
export async function keyWith(
  host: TestHost,
  scopes: readonly string[],
  { name = `k-${scopes.join("-")}`, owner = host.token } = {},
): Promise<string> {
  const { body } = await call(host, "keys.add", { name, scopes }, owner);
  return (body.result as unknown as { key: string }).key;
}

/** Writes bytes, and resolves with all that came back until the other side hung up or `enough` says so. */
export function raw(
  host: Pick<TestHost, "url">,
  bytes: string | Uint8Array,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(host.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = "";
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(10_000, () => reject(new Error(`no end within 10 s; so far: ${text.slice(0, 500)}`)));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough(text)) done();
    });
    socket.on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? done() : reject(error),
    );
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** The status of one raw request line, sent as it is. */
export async function statusOf(
  host: Pick<TestHost, "url">,
  target: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const lines = Object.entries({ host: new URL(host.url).host, connection: "close", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const answer = await raw(host, `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return Number(answer.slice(9, 12));
}

/** Opens a socket, or says with which HTTP status it was refused. */
export async function upgrade(
  host: Pick<TestHost, "url">,
  path: string,
  headers: Record<string, string> = {},
): Promise<TestSocket | number> {
  try {
    return await connectTo(host.url.replace(/^http/, "ws") + path, headers);
  } catch (error) {
    const status = /^HTTP (\d{3})$/.exec((error as Error).message)?.[1];
    if (status === undefined) throw error;
    return Number(status);
  }
}
