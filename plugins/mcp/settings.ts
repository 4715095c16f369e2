/** The section `tools.mcp`: ClawGo's keys, and `headers`. What is wrong with a server is said by validate.ts and stops that server only. */
import { type Static, Type } from "@chela/sdk";

const Secrets = Type.Record(Type.String(), Type.String({ secret: true, description: "Its value." }));

const ServerSection = Type.Object({
  enabled: Type.Boolean({ default: true, description: "Off: no process, no tools." }),
  transport: Type.String({ default: "stdio", description: "stdio, http (the same as streamable_http) or sse." }),
  url: Type.String({ default: "", description: "For http and sse; it may be a private address." }),
  command: Type.String({ default: "", description: "For stdio: a program in PATH, or its path." }),
  args: Type.Array(Type.String(), { default: [], description: "For stdio, one by one; no shell reads them." }),
  env: {
    ...Secrets,
    default: {},
    description: "Added to the few variables that a server gets; of the gateway's own it gets none.",
  },
  headers: { ...Secrets, default: {}, description: "For http and sse; never sent to another origin." },
  permission: Type.String({
    default: "workspace",
    description: "Where it may run: workspace, or full for any folder.",
  }),
  working_dir: Type.String({ default: "", description: "Below the workspace; absolute with permission full." }),
  description: Type.String({ default: "", description: "For people." }),
  package: Type.String({ default: "", description: "What installs the command." }),
});

/** The section as a whole. */
export const McpSection = Type.Object({
  enabled: Type.Boolean({ default: false, description: "MCP servers as tools, and /mcp for MCP clients." }),
  request_timeout_sec: Type.Number({
    default: 20,
    description: "For one answer of a server, 600 at most; its progress begins it anew.",
  }),
  servers: { ...Type.Record(Type.String(), ServerSection), default: {} },
});

/** However long the config lets a call take, and however much progress it tells. */
export const longestCallMs = 600_000;

export type ServerSettings = Static<typeof ServerSection>;
export type McpSettings = Static<typeof McpSection>;
export type TransportKind = "stdio" | "http" | "sse";

const kinds: Readonly<Record<string, TransportKind>> = {
  stdio: "stdio",
  http: "http",
  streamable_http: "http",
  sse: "sse",
};

/** The word in the config, tidied. */
export function transportWord({ transport }: Pick<ServerSettings, "transport">): string {
  return transport.trim().toLowerCase() || "stdio";
}

/** Undefined for a word that is none. */
export function transportOf(server: Pick<ServerSettings, "transport">): TransportKind | undefined {
  const word = transportWord(server);
  return Object.hasOwn(kinds, word) ? kinds[word] : undefined;
}

export function permissionOf({ permission }: Pick<ServerSettings, "permission">): string {
  return permission.trim().toLowerCase() || "workspace";
}

export function requestTimeoutMs({ request_timeout_sec: seconds }: Pick<McpSettings, "request_timeout_sec">): number {
  return seconds > 0 ? Math.min(seconds * 1000, longestCallMs) : 20_000;
}
