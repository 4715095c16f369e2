/** A gateway with the OpenAI face on a real port, before a simulated upstream, and the official client for it. */

import type { Plugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import openai from "../../../plugins/openai/index.ts";
import providers from "../../../plugins/providers/index.ts";
import store from "../../../plugins/store/index.ts";
import { startUpstream, type Upstream } from "../../simulators/openai/upstream.ts";

export interface Setup {
  readonly upstream: Upstream;
  readonly host: TestHost;
  readonly client: OpenAI;
}

export interface SetupOptions {
  /** Further config, merged on the top level. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of the provider `sim`. */
  readonly provider?: Readonly<Record<string, unknown>>;
  /** Beside it. */
  readonly providers?: Readonly<Record<string, unknown>>;
  readonly plugins?: readonly Plugin[];
  readonly maxRetries?: number;
}

export async function setup(options: SetupOptions = {}): Promise<Setup> {
  const upstream = await startUpstream({ key: "sk-upstream" });
  const sim = { api_base: upstream.base, api_key: "sk-upstream", models: ["echo", "*"], ...options.provider };
  const host = await startHost({
    plugins: [store, providers, chat, openai, ...(options.plugins ?? [])],
    config: { models: { providers: { ...options.providers, sim } }, ...options.config },
    port: 0,
  });
  onTestFinished(async () => {
    await host.stop();
    await upstream.close();
  });
  const client = new OpenAI({ baseURL: `${host.url}/v1`, apiKey: host.token, maxRetries: options.maxRetries ?? 0 });
  return { upstream, host, client };
}

/** A key that may write, of the plugin `keys`; needs `api-config`. */
export async function newKey(host: TestHost, params: object): Promise<string> {
  const body = { method: "keys.add", params: { scopes: ["write"], ...params } };
  const reply = await host.request("/api/call", { body });
  return (reply.json() as { result: { key: string } }).result.key;
}

export const hello = [{ role: "user" as const, content: "hello there" }];

/** The events of an SSE body, parsed; `[DONE]` stays text. */
export function eventsOf(body: string): unknown[] {
  return body
    .split("\n\n")
    .filter((block) => block.startsWith("data: "))
    .map((block) => (block === "data: [DONE]" ? "[DONE]" : (JSON.parse(block.slice(6)) as unknown)));
}

export interface Chunk {
  readonly choices: { readonly delta: Record<string, unknown>; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

export function streamed(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}
