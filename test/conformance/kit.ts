/**
 * The gateway as a client of another age meets it: the built binary on a port with every built-in plugin, bytes of HTTP
 * and frames of a WebSocket. Nothing is added to a request that the case does not name.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { type GatewayOptions, type RunningGateway, ready, spawnGateway, startGateway } from "../kit/gateway.ts";
import { makeTempDir, tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

export type Door = Pick<RunningGateway, "url" | "token">;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown;
}

export type Frame = Readonly<Record<string, unknown>>;

export interface Talk {
  /** The next frame; fails after `ms`. */
  frame(ms?: number): Promise<Frame>;
  /** What has come and nobody took. */
  readonly waiting: Frame[];
  say(text: string): void;
  /** The close code. */
  readonly ended: Promise<number>;
}

type Fresh = Omit<GatewayOptions, "stateDir" | "bare"> & { readonly config?: unknown };

/** One gateway for all cases of a file, or of a `describe`; call the result inside a case. */
export function gatewayForAll(options: Fresh | (() => Promise<Fresh>) = {}): () => RunningGateway {
  let running: RunningGateway | undefined;
  let remove = () => {};
  beforeAll(async () => {
    const { config, ...rest } = typeof options === "function" ? await options() : options;
    const folder = makeTempDir("conformance");
    remove = folder.remove;
    running = spawnGateway({ ...rest, stateDir: withConfig(folder.path, config) });
    await ready(running);
  });
  afterAll(async () => {
    running?.signal("SIGKILL");
    await running?.ended;
    remove();
  });
  return () => running as RunningGateway;
}

/** One gateway for one case. */
export function freshGateway({ config, ...options }: Fresh = {}): Promise<RunningGateway> {
  return startGateway({ ...options, stateDir: withConfig(tempDir("conformance"), config) });
}

function withConfig(stateDir: string, config: unknown): string {
  mkdirSync(stateDir, { recursive: true });
  if (config !== undefined) writeFileSync(join(stateDir, "config.json"), JSON.stringify(config));
  return stateDir;
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** One request on a connection of its own, with these headers and no others. */
export function ask(door: Door, path: string, { body, headers = {}, ...init }: Ask = {}): Promise<Answer> {
  const { hostname, port } = new URL(door.url);
  const method = init.method ?? (body === undefined ? "GET" : "POST");
  return new Promise((resolve, reject) => {
    const req = request({ hostname, port, path, method, headers, agent: false }, (res) =>
      read(res).then(resolve, reject),
    );
    req.on("error", reject);
    req.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  });
}

/** The same with the gateway's token as a bearer. */
export function askAsOwner(door: Door, path: string, init: Ask = {}): Promise<Answer> {
  return ask(door, path, { ...init, headers: { ...bearer(door.token), ...init.headers } });
}

async function read(res: IncomingMessage): Promise<Answer> {
  let text = "";
  for await (const chunk of res.setEncoding("utf8")) text += chunk;
  return { status: res.statusCode ?? 0, headers: res.headers, text, json: () => JSON.parse(text) as unknown };
}

/** Opens a WebSocket; what the gateway answers instead of a handshake is an `Answer`. */
export async function connect(
  door: Door,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Talk | Answer> {
  const socket = new WebSocket(door.url.replace(/^http/, "ws") + path, { headers, perMessageDeflate: false });
  onTestFinished(() => socket.terminate());
  const waiting: Frame[] = [];
  socket.on("message", (data) => waiting.push(JSON.parse(String(data)) as Frame));
  const ended = new Promise<number>((resolve) => socket.on("close", resolve));
  return new Promise((resolve, reject) => {
    socket.on("unexpected-response", (_, res) => read(res).then(resolve, reject));
    socket.on("error", reject);
    socket.on("open", () =>
      resolve({
        waiting,
        ended,
        frame: (ms = 5000) => until(() => waiting.shift(), ms, `a frame on ${path}`),
        say: (text) => socket.send(text),
      }),
    );
  });
}

/** A WebSocket of the owner, which has to open. */
export async function talk(door: Door, path: string): Promise<Talk> {
  const opened = await connect(door, path, bearer(door.token));
  if ("status" in opened) throw new Error(`${path} was refused: ${opened.status} ${opened.text}`);
  return opened;
}
