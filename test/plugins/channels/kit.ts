/** A host with the drafts, the config's API and a channel with a schema of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { channelDrafts, definePlugin, Type, weixinRuntime } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import channels from "../../../plugins/channels/index.ts";

export const mark = "__CHELA_REDACTED__";
export const path = "/api/channels/draft";

export const weixin = definePlugin({
  id: "weixin",
  version: "1.0.0",
  host: "^1.0.0",
  section: "channels.weixin",
  config: Type.Object({
    enabled: Type.Boolean({ default: false }),
    accounts: Type.Array(Type.Object({ bot_id: Type.String(), bot_token: Type.String({ secret: true }) }), {
      default: [],
    }),
  }),
  hot: ["*"],
  provides: [weixinRuntime],
  setup: (ctx) => ctx.provide(weixinRuntime, { enabled: () => true }),
});

export async function open(config: TestHostOptions["config"] = {}, more: Partial<TestHostOptions> = {}) {
  const host = await startHost({ plugins: [apiConfig, channels, weixin], config, ...more });
  onTestFinished(() => host.stop());
  return {
    host,
    drafts: host.service(channelDrafts),
    dataFile: join(host.stateDir, "data", "channels", "drafts.json"),
    saved: () =>
      JSON.parse(readFileSync(join(host.stateDir, "config.json"), "utf8")) as {
        readonly channels: Readonly<Record<string, object>>;
      },
    draft: (channel: unknown, wanted: unknown) => ask(host, "POST", path, { channel, config: wanted }),
    show: async (channel = "") => (await ask(host, "GET", `${path}?channel=${channel}`)).json() as Shown,
    commit: () => ask(host, "POST", `${path}/commit`),
    save: (body: unknown, query = "") => ask(host, "POST", `/api/config${query}`, body),
  };
}

export interface Shown {
  readonly persisted: Readonly<Record<string, unknown>>;
  readonly draft: Readonly<Record<string, unknown>> | null;
  readonly effective: Readonly<Record<string, unknown>>;
  readonly dirty: boolean;
  readonly channels: Readonly<Record<string, Shown>>;
}

export function ask(host: TestHost, method: string, to: string, body?: unknown) {
  return host.request(to, { method, ...(body === undefined ? {} : { body }) });
}
