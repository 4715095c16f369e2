/** The core of the providers plugin without a host, and what its tests ask of it. */

import { setMaxListeners } from "node:events";
import type { Attempt, GatewayError, ModelCallRecord, ModelEvent, ModelReply, ModelRequest } from "@chela/sdk";
import { onTestFinished } from "vitest";
import type { CallHooks } from "../../../plugins/providers/records.ts";
import type { ModelsSection } from "../../../plugins/providers/schema.ts";
import { readSettings } from "../../../plugins/providers/settings.ts";
import { Upstreams, type UpstreamsOptions } from "../../../plugins/providers/upstreams.ts";
import { startUpstream, type Upstream, type UpstreamOptions } from "../../simulators/openai/upstream.ts";

export type Providers = ModelsSection["providers"];

const discoveryOff = { enabled: false, env: false, host: "127.0.0.1", ports: [], timeout_ms: 500 };

const silent = { warn: () => undefined, debug: () => undefined };

export function section(providers: Providers, more: Partial<ModelsSection> = {}): ModelsSection {
  return { providers, request_timeout_sec: 30, discovery: discoveryOff, ...more };
}

export function makeUpstreams(
  providers: Providers,
  more: Partial<ModelsSection> & Partial<UpstreamsOptions> = {},
): Upstreams {
  const { now = Date.now, wall, hooks, accounts, relay, keep, onRests, log = silent, ...rest } = more;
  const options = { log, now, wall, hooks, accounts, relay, keep, onRests };
  const upstreams = new Upstreams(readSettings(section(providers, rest)), options);
  onTestFinished(() => upstreams.close());
  return upstreams;
}

/** Hooks that keep what is told of each call. */
export function recording(): { readonly hooks: CallHooks; readonly records: ModelCallRecord[] } {
  const records: ModelCallRecord[] = [];
  const hooks: CallHooks = {
    listens: (hook) => hook === "model:done",
    before: async () => undefined,
    done: (record) => void records.push(record),
  };
  return { hooks, records };
}

export async function upstream(options?: UpstreamOptions): Promise<Upstream> {
  const server = await startUpstream(options);
  onTestFinished(() => server.close());
  return server;
}

export function ask(model: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return { model, messages: [{ role: "user", content: "hello there" }], ...more };
}

export interface Heard {
  readonly events: ModelEvent[];
  readonly text: string;
  readonly reply: ModelReply;
}

export async function hear(events: AsyncIterable<ModelEvent>): Promise<Heard> {
  const heard: ModelEvent[] = [];
  for await (const event of events) heard.push(event);
  const last = heard.at(-1);
  if (last?.type !== "done") throw new Error(`the last event is ${last?.type}`);
  const text = heard.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events: heard, text, reply: last.reply };
}

/** The events before the failure, and the failure. */
export async function fails(events: AsyncIterable<ModelEvent>): Promise<{ heard: ModelEvent[]; error: GatewayError }> {
  const heard: ModelEvent[] = [];
  try {
    for await (const event of events) heard.push(event);
  } catch (error) {
    return { heard, error: error as GatewayError };
  }
  throw new Error("the stream did not fail");
}

export function attempts(error: GatewayError): readonly Attempt[] {
  return error.details?.attempts as readonly Attempt[];
}

export const never = new AbortController().signal;
setMaxListeners(0, never);

export async function bytes(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
