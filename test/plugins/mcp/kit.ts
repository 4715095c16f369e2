/** A host with the mcp plugin, servers to connect to, and calls of their tools through the gateway's dispatch path. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Identity, type McpServer, mcp, type Plugin, type Turn, tools } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import plugin from "../../../plugins/mcp/index.ts";
import { until } from "../../kit/until.ts";

/** Generous: a slow machine loads the official server in seconds. */
export const slow = 30_000;

export const everything = createRequire(import.meta.url).resolve(
  "@modelcontextprotocol/server-everything/dist/index.js",
);
export const hostileServer = fileURLToPath(new URL("./hostile-server.mjs", import.meta.url));

export const admin: Identity = { id: "token", name: "test", kind: "token", scopes: ["admin"] };

export function stdio(file: string, args: readonly string[] = [], more: Readonly<Record<string, unknown>> = {}) {
  return { enabled: true, transport: "stdio", command: process.execPath, args: [file, ...args], ...more };
}

type Servers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface McpHost {
  readonly host: TestHost;
  call(name: string, input?: unknown, signal?: AbortSignal): Promise<{ ok: boolean; output: string }>;
  /** The row of a server once it is as `test` wants it. */
  row(name: string, test?: (row: McpServer) => boolean): Promise<McpServer>;
  /** A tool, once it is there. */
  tool(name: string): Promise<{ about: string; input: Record<string, unknown>; risk: string }>;
  names(): readonly string[];
  configure(servers: Servers, more?: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function mcpHost(
  servers: Servers,
  options: Partial<TestHostOptions> & {
    readonly more?: Readonly<Record<string, unknown>>;
    readonly beside?: readonly Plugin[];
    /** Other sections of the config. */
    readonly settings?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<McpHost> {
  const { more = {}, beside = [], settings = {}, ...rest } = options;
  const config = { ...settings, tools: { mcp: { enabled: true, servers, ...more } } };
  const host = await startHost({ plugins: [plugin, ...beside], config, ...rest });
  onTestFinished(() => host.stop());
  const service = () => host.service(tools);
  return {
    host,
    call: (name, input = {}, signal = new AbortController().signal) =>
      service().run({ id: crypto.randomUUID(), name, arguments: JSON.stringify(input) }, turn(signal)),
    row: (name, test = () => true) =>
      until(
        () => {
          const row = rowOf(host, name);
          return row && test(row) ? row : undefined;
        },
        slow,
        `server ${name}`,
      ),
    tool: (name) =>
      until(
        () =>
          service()
            .list()
            .find((tool) => tool.name === name),
        slow,
        `tool ${name}`,
      ) as never,
    names: () =>
      service()
        .list()
        .map((tool) => tool.name),
    configure: async (next, also = {}) => {
      const value = { enabled: true, servers: next, ...more, ...also };
      const result = await host.config.write([{ path: "tools.mcp", value }], { who: "test", force: true });
      if (result.failed.length > 0 || result.restarted.length > 0) throw new Error(JSON.stringify(result));
    },
  };
}

export function rowOf(host: TestHost, name: string) {
  return host
    .service(mcp)
    .servers()
    .find((row) => row.name === name);
}

export function turn(signal = new AbortController().signal): Turn {
  return { id: "turn-1", session: null, agent: "main", identity: admin, signal };
}

/** What `/mcp` wants to hear, by hand. */
export const accept = { accept: "application/json, text/event-stream" };

export const rpc = (method: string, params: object = {}, id: number | undefined = 1) => ({
  jsonrpc: "2.0",
  method,
  params,
  ...(id === undefined ? {} : { id }),
});

export const handshake = rpc("initialize", {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "hand", version: "1" },
});

/** A method of the gateway, called by its owner. */
export function manage(host: TestHost, method: string, params: object): Promise<unknown> {
  return host.gateway.call(method, params, { identity: admin, id: "1", signal: new AbortController().signal });
}

/** Of the plugin `keys`; it may read. */
export async function newKey(host: TestHost, name: string): Promise<string> {
  const { key } = (await manage(host, "keys.add", { name, scopes: ["read"] })) as { key: string };
  return key;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the dispatch path has a tool of this name. */
export async function toolThere(host: TestHost, name: string): Promise<void> {
  const there = () =>
    host
      .service(tools)
      .list()
      .some((tool) => tool.name === name);
  await until(there, slow);
}
