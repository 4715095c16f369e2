/** One connection to one server: the transport its settings name, the handshake, and the calls, each bounded in time and size. */
import type { Ctx } from "../needs.ts";
import { longestCallMs, requestTimeoutMs, type ServerSettings, transportOf } from "../settings.ts";
import type { Link, LinkListener, Transport } from "./door.ts";
import { Flood } from "./flood.ts";
import { childSpec, workingDir } from "./place.ts";
import { plainLine } from "./plain.ts";
import type { ChildTransport } from "./stdio.ts";
import { explained, isLost, isTimeout, isUnknownMethod, type Witness } from "./trouble.ts";

/** A start may have to download its program first. */
const startMs = 60_000;
/** Calls in a row that got no answer: then it is asked whether it lives, and started again if not. */
const maxSilent = 3;
const aliveMs = 5000;
const maxPages = 64;
const maxListed = 1000;

export type Listed = "tools" | "resources" | "resourceTemplates" | "prompts";

export interface Connection {
  readonly remote: string;
  readonly protocol: string;
  readonly pid: number | null;
  /** Resolves with the reason when it is over; never rejects. */
  readonly closed: Promise<string>;
  /** What `tools/list`, `resources/list` … list under `key`, page after page; nothing where the server has no such thing. */
  list(kind: Listed, signal?: AbortSignal): Promise<readonly unknown[]>;
  request(method: string, params: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export interface ConnectionListener {
  changed(): void;
}

interface Wire {
  readonly transport: Transport;
  readonly child?: ChildTransport;
  /** Tells the server that the session is over. */
  leave?(): Promise<void>;
}

interface Target {
  readonly name: string;
  readonly settings: ServerSettings;
}

/** By the handshake that all servers of today know; one that refuses it is asked in the newest protocol. */
export async function connect(
  ctx: Ctx,
  target: Target,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<Connection> {
  const { openLink, refusesHandshake } = await import("./door.ts");
  const dial = async (newest: boolean) => {
    const { transport, parts, watch } = await prepare(ctx, target, listener);
    const limits = { timeoutMs: Math.max(startMs, requestTimeoutMs(ctx.config)), signal };
    try {
      return connection(ctx, await openLink(transport, watch, { ...limits, newest }), parts);
    } catch (error) {
      await transport.close().catch(() => undefined);
      throw !newest && refusesHandshake(error) ? error : explained(error, parts);
    }
  };
  try {
    return await dial(false);
  } catch (error) {
    signal.throwIfAborted();
    if (!refusesHandshake(error)) throw error;
    return await dial(true);
  }
}

async function prepare(ctx: Ctx, { name, settings }: Target, listener: ConnectionListener) {
  const flood = new Flood();
  const wire = await wireOf(ctx, settings, flood);
  const [{ guarded }, { secretsOf, without }] = await Promise.all([import("./guarded.ts"), import("./secrets.ts")]);
  const secrets = secretsOf(settings);
  const transport = guarded(wire.transport, flood, secrets);
  let reason = "";
  let over: (reason: string) => void = () => undefined;
  const closed = new Promise<string>((resolve) => {
    over = resolve;
  });
  const watch: LinkListener = {
    root: wire.child ? await workingDir(ctx, settings) : undefined,
    log: (level, data) =>
      ctx.log.debug({ server: name, level: plainLine(level, 20), said: said(data) }, "an MCP server says"),
    changed: listener.changed,
    closed: () => over(reason || "it closed the connection"),
    failed: (error, isLast) => {
      // A request that we gave up.
      if (error.name === "AbortError") return;
      reason = plainLine(without(secrets, error.message), 500);
      ctx.log.debug({ server: name, reason }, "trouble with an MCP server");
      if (isLast) void transport.close().catch(() => undefined);
    },
  };
  const parts: Parts = {
    wire,
    closed,
    reason: () => reason,
    blame: (why) => {
      reason = why;
    },
    lastWords: () => wire.child?.lastWords ?? "",
    blank: (text) => without(secrets, text),
  };
  return { transport, parts, watch };
}

interface Parts extends Witness {
  readonly wire: Wire;
  /** Why it will be closed from here. */
  blame(reason: string): void;
  readonly closed: Promise<string>;
}

function connection(ctx: Ctx, link: Link, parts: Parts): Connection {
  const { wire, closed } = parts;
  let silent = 0;
  const close = () => link.close().catch(() => undefined);
  const closeUnlessAlive = async () => {
    silent = 0;
    try {
      await link.ping(Math.min(aliveMs, requestTimeoutMs(ctx.config)));
    } catch (error) {
      // One that knows no ping says so, and lives.
      if (!isTimeout(error) && !isLost(error)) return;
      parts.blame("it answers nothing any more");
      await close();
    }
  };
  const request = async (method: string, params: Readonly<Record<string, unknown>>, signal?: AbortSignal) => {
    try {
      const answer = await link.request(method, params, {
        timeoutMs: requestTimeoutMs(ctx.config),
        totalMs: longestCallMs,
        signal,
      });
      silent = 0;
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      silent = isTimeout(error) ? silent + 1 : 0;
      if (isLost(error)) await close();
      if (silent >= maxSilent) void closeUnlessAlive();
      throw explained(error, parts);
    }
  };
  return {
    remote: plainLine(`${link.name} ${link.version}`, 120),
    protocol: plainLine(link.protocol, 20),
    get pid() {
      return wire.child?.pid ?? null;
    },
    closed,
    request,
    list: async (kind, signal) => {
      if (!link.has(kind === "resourceTemplates" ? "resources" : kind)) return [];
      const method = kind === "resourceTemplates" ? "resources/templates/list" : `${kind}/list`;
      return await pages(kind, (params) => request(method, params, signal)).catch((error: unknown) => {
        // Many a server has resources and has never heard of templates.
        if (kind === "resourceTemplates" && isUnknownMethod(error)) return [];
        throw error;
      });
    },
    close: async () => {
      await wire.leave?.();
      await link.close();
      // The link may be closed already while its process still ends.
      await wire.child?.close();
    },
  };
}

async function pages(
  kind: string,
  ask: (params: Readonly<Record<string, unknown>>) => Promise<unknown>,
): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages && all.length <= maxListed; page += 1) {
    const answer = (await ask(cursor === undefined ? {} : { cursor })) as Record<string, unknown> | null;
    const items = answer?.[kind];
    if (Array.isArray(items)) for (const item of items.slice(0, maxListed + 1 - all.length)) all.push(item);
    const next = answer?.nextCursor;
    if (typeof next !== "string" || next === "" || next === cursor) break;
    cursor = next;
  }
  return all;
}

async function wireOf(ctx: Ctx, settings: ServerSettings, flood: Flood): Promise<Wire> {
  const kind = transportOf(settings);
  if (kind === "stdio") {
    const spec = await childSpec(ctx, settings);
    const { ChildTransport } = await import("./stdio.ts");
    const child = new ChildTransport(() => ctx.use.children.start(spec), flood);
    return { transport: child, child };
  }
  const url = new URL(settings.url.trim());
  const [{ httpTransport, sseTransport }, { boundedBody }, { lettingGo }] = await Promise.all([
    import("./door.ts"),
    import("./guarded.ts"),
    import("./let-go.ts"),
  ]);
  // The operator wrote the address: it may be private. A redirect to another origin is refused by the transport.
  const fetch = lettingGo(async (target, init, givenUp) => {
    const options = { ...init, redirect: "manual", trust: [url.origin], patient: true } as const;
    return boundedBody(await ctx.fetch(target, options), givenUp);
  });
  return kind === "sse"
    ? { transport: sseTransport(url, settings.headers, fetch) }
    : httpTransport(url, settings.headers, fetch);
}

function said(data: unknown): string {
  return plainLine(typeof data === "string" ? data : (JSON.stringify(data) ?? ""), 500);
}
