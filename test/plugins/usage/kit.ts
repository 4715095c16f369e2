/** A host with the store, the usage plugin and one that ends model calls as the providers do. */
import { definePlugin, type Identity, type ModelCallRecord, type Plugin, usageBook } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import store from "../../../plugins/store/index.ts";
import usage from "../../../plugins/usage/index.ts";
import type { CallRow } from "../../../plugins/usage/tables.ts";
import { until } from "../../kit/until.ts";

export const identity: Identity = { id: "token", name: "t", kind: "token", scopes: ["admin"] };

export function record(more: Partial<ModelCallRecord> = {}): ModelCallRecord {
  return {
    caller: { purpose: "turn", identity },
    purpose: "turn",
    identity,
    session: "main",
    turn: "t1",
    agent: "main",
    at: Date.now(),
    asked: "openai/gpt-4o",
    model: "openai/gpt-4o",
    provider: "openai",
    credential: "sk-…1",
    usage: { inputTokens: 1_000, outputTokens: 100 },
    ms: 12.5,
    firstTokenMs: 3,
    failed: 0,
    ...more,
  };
}

/** A call as it is kept. */
export function callRow(more: Partial<CallRow> = {}): CallRow {
  const names = { model: "a/b", provider: "a", identity: "token", agent: "", purpose: "straight", session: "" };
  const figures = { tried: 0, ms: 5, firstMs: null, input: 1, output: 1, cached: 0, cost: null };
  return { at: 1_700_000_000_000, turn: "", credential: "", error: "", ...names, ...figures, ...more };
}

export function key(id: string): ModelCallRecord["identity"] {
  return { id: `key:${id}`, name: id, kind: "key", scopes: ["write"] };
}

export interface UsageHost {
  readonly host: TestHost;
  ended(...records: ModelCallRecord[]): Promise<void>;
  readonly book: NonNullable<(typeof usageBook)["shape"]>;
}

export async function usageHost(options: Partial<TestHostOptions> = {}): Promise<UsageHost> {
  let call: (record: ModelCallRecord) => Promise<void> = async () => {};
  const calls: Plugin = definePlugin({
    id: "calls",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => {
      call = (one) => ctx.call("model:done", one);
    },
  });
  const host = await startHost({ ...options, plugins: [store, usage, calls, ...(options.plugins ?? [])] });
  onTestFinished(() => host.stop());
  await until(() => host.plugins.list().every(({ state }) => state === "running"), 5_000, "all plugins to run");
  return {
    host,
    ended: async (...records) => void (await Promise.all(records.map((one) => call(one)))),
    book: host.service(usageBook),
  };
}
