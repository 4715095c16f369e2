/** Sends one request to an upstream, signed, over whichever way leads to it. */
import type { Cancellation } from "@chela/sdk";
import type { Signed } from "./credentials/credential.ts";
import { fault } from "./failover/faults.ts";
import { Exchange } from "./http/exchange.ts";
import type { Line, Pools } from "./http/pools.ts";
import type { Answer, Transport } from "./http/transport.ts";
import { limits } from "./limits.ts";
import type { ProviderSpec } from "./settings.ts";
import type { ToolTexts } from "./wire/chat/tool-texts.ts";
import type { Target } from "./wire/dialect.ts";
import type { RelayChannels } from "./wire/relay/channels.ts";

/** A model of a provider. */
export interface Upstream extends Target {
  readonly spec: ProviderSpec;
}

export interface CallOptions {
  readonly pools: Pools;
  /** What the request is signed with. */
  readonly signed: Signed;
  readonly signal: Cancellation;
  /** What is left of the whole request's time. */
  readonly totalMs: number;
  /** This upstream's share of it, until the reply's head. */
  readonly firstByteMs: number;
  /** Clients that carry requests out, for providers that are reached through them. */
  readonly relay?: RelayChannels | undefined;
  readonly toolTexts?: ToolTexts;
}

export interface Carrier {
  readonly upstream: Upstream;
  readonly method?: "GET" | "POST";
  /** Below the prefix of the base URL. */
  readonly path: string;
  /** Beside those of the provider: of the wire and of the credential. */
  readonly headers: readonly string[];
  readonly body: string | null;
  /** Fields of the request that may name a relay's channel. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** The way to an upstream's base URL. An account may have one of its own, and a proxy. */
export interface Way {
  readonly prefix: string;
  readonly line: Line | Promise<Line>;
}

export function wayTo({ spec }: Upstream, { pools, signed }: Pick<CallOptions, "pools" | "signed">): Way {
  const { baseUrl, proxy = spec.proxy } = signed.account ?? { proxy: spec.proxy };
  if (baseUrl === undefined) return { prefix: spec.prefix, line: pools.get(spec.origin, proxy) };
  const url = new URL(baseUrl);
  return { prefix: url.pathname.replace(/\/+$/, ""), line: pools.get(url.origin, proxy) };
}

export async function carry(
  carrier: Carrier,
  options: CallOptions,
  maxBytes: number = limits.replyBytes,
): Promise<Answer> {
  const { upstream, method = "POST", path, headers, body } = carrier;
  const { spec } = upstream;
  const { transport, prefix } = await routeTo(carrier, options);
  return transport.open({
    culprit: upstream,
    method,
    path: withQuery(`${prefix}${path}`, spec.query),
    headers: [...spec.headers, ...headers],
    body,
    signal: options.signal,
    firstByteMs: Math.min(spec.timeoutMs, options.firstByteMs, options.totalMs),
    idleMs: spec.timeoutMs,
    totalMs: options.totalMs,
    maxBytes,
  });
}

async function routeTo(
  { upstream, extra }: Carrier,
  options: CallOptions,
): Promise<{ readonly transport: Transport; readonly prefix: string }> {
  const { spec } = upstream;
  const { relay } = options;
  if (spec.transport !== "relay") {
    const { prefix, line } = wayTo(upstream, options);
    const connected = await line;
    return { prefix, transport: { open: (ask) => Exchange.open(connected, ask) } };
  }
  if (!relay) throw fault("UPSTREAM_UNREACHABLE", upstream, "the relay plugin is not running; enable it");
  const target = { origin: spec.origin, provider: spec.name, extra };
  return { prefix: spec.prefix, transport: { open: (ask) => relay.open(ask, target) } };
}

/** `query`: what the provider wants with every request, from its `?` on. */
export function withQuery(path: string, query = ""): string {
  return query !== "" && path.includes("?") ? `${path}&${query.slice(1)}` : `${path}${query}`;
}
