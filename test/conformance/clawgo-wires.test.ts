/** ClawGo contract §3.4, §7 and cases P16, P17: chat completions with their oddities, and the provider that is reached through the relay. */
import { definePlugin, need, type Providers, providers } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import providersPlugin from "../../plugins/providers/index.ts";
import relayPlugin from "../../plugins/relay/index.ts";
import { httpServer } from "../kit/http-server.ts";
import { until } from "../kit/until.ts";
import { ask, hear, never } from "../plugins/providers/kit.ts";
import { startAnthropic } from "../simulators/anthropic/api.ts";
import { startGemini } from "../simulators/gemini/api.ts";
import { type RelayClient, relayClient } from "../simulators/relay/client.ts";
import { askAsOwner, freshGateway } from "./kit.ts";

const consumer = definePlugin({
  id: "consumer",
  version: "1.0.0",
  host: "^1.0.0",
  needs: { providers: need(providers, "^1.0.0") },
  setup: () => undefined,
});

async function gateway(
  provider: Record<string, unknown>,
  name = "sim",
): Promise<{ host: TestHost; service: Providers }> {
  const host = await startHost({
    plugins: [providersPlugin, relayPlugin, consumer],
    config: { models: { providers: { [name]: provider } } },
    port: 0,
  });
  onTestFinished(() => host.stop());
  return { host, service: host.service(providers) };
}

describe("P16: responses.api = chat_completions", () => {
  const tools = [{ name: "look", about: "Looks", input: { type: "object", properties: { at: { type: "string" } } } }];

  it("posts to /chat/completions, keeps the thoughts, drops orphans, and reads calls out of the text", async () => {
    const dsml =
      '<｜DSML｜function_calls><｜DSML｜invoke name="look"><｜DSML｜parameter name="at" string="true">here</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>';
    const server = await httpServer((_, reply) => {
      const message = { role: "assistant", content: `So. ${dsml}`, reasoning_content: "I should look." };
      reply.writeHead(200, { "content-type": "application/json" });
      reply.end(JSON.stringify({ choices: [{ message, finish_reason: "stop" }] }));
    });
    const { service } = await gateway({
      preset: "deepseek",
      api_base: `${server.origin}/v1`,
      models: ["m"],
      responses: { api: "chat_completions" },
    });
    const request = {
      ...ask("sim/m"),
      tools,
      messages: [
        { role: "user", content: "go" },
        { role: "tool", toolCallId: "nobody", content: "an orphan" },
        { role: "assistant", content: "", reasoning: "Hm.", toolCalls: [{ id: "1", name: "look", arguments: "{}" }] },
        { role: "tool", toolCallId: "1", content: "a wall" },
      ],
    } as const;
    const { reply } = await hear(service.stream(request, never));
    expect(server.seen[0]?.path).toBe("/v1/chat/completions");
    const { messages } = JSON.parse(server.seen[0]?.body ?? "") as { messages: Record<string, unknown>[] };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    expect(messages[1]).toMatchObject({ reasoning_content: "Hm." });
    expect(reply).toMatchObject({
      text: "So. ",
      reasoning: "I should look.",
      stop: "tool_calls",
      toolCalls: [{ name: "look", arguments: '{"at":"here"}' }],
    });
  });

  it("responses.api = responses posts to /responses", async () => {
    const server = await httpServer((_, reply) => {
      const output = [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "hi" }] }];
      reply.writeHead(200, { "content-type": "application/json" });
      reply.end(JSON.stringify({ id: "r", status: "completed", output }));
    });
    const { service } = await gateway({
      api_base: `${server.origin}/v1`,
      models: ["m"],
      responses: { api: "responses" },
    });
    expect((await hear(service.stream(ask("sim/m"), never))).text).toBe("hi");
    expect(server.seen[0]?.path).toBe("/v1/responses");
  });
});

describe("3.1: kinds of providers, by the name alone", () => {
  it("the binary speaks to each vendor in its own API", async () => {
    const [claude, gemini] = [await startAnthropic(), await startGemini()];
    const door = await freshGateway({
      config: {
        models: {
          providers: {
            anthropic: { api_base: claude.origin, api_key: "sk-ant-sim", models: ["claude-sonnet-5-5"] },
            google: { api_base: gemini.origin, api_key: "AIza-sim", models: ["gemini-3.8-flash"] },
          },
        },
      },
    });
    for (const model of ["anthropic/claude-sonnet-5-5", "google/gemini-3.8-flash"]) {
      const body = { model, messages: [{ role: "user", content: "hi" }] };
      const answer = await askAsOwner(door, "/v1/chat/completions", { body });
      expect(answer.json()).toMatchObject({ choices: [{ message: { content: "echo: hi" } }] });
    }
    expect(claude.asked[0]?.path).toBe("/v1/messages");
    expect(gemini.asked[0]?.path).toMatch(/^\/v1beta\/models\/gemini-3.8-flash:/);
  });
});

describe("P17: aistudio over the relay", () => {
  const model = "aistudio/gemini-3.8-flash";

  async function connected(host: TestHost, provider: string, origin: string): Promise<RelayClient> {
    const client = await relayClient({ gateway: host.url, token: host.token, provider, origin });
    onTestFinished(() => client.close());
    return client;
  }

  async function rig() {
    const vendor = await startGemini({ open: true });
    const { host, service } = await gateway({ models: ["gemini-3.8-flash"] }, "aistudio");
    const say = async (extra: Record<string, unknown> = {}) =>
      (await hear(service.stream(ask(model, { extra }), never))).text;
    const channels = async (count: number) => {
      const admin = { id: "internal", name: "test", kind: "internal", scopes: ["admin"] } as const;
      await until(async () => {
        const told = (await host.gateway.call("relay.channels", {}, { identity: admin, id: "1", signal: never })) as {
          channels: unknown[];
        };
        return told.channels.length === count;
      });
    };
    return { vendor, host, service, say, channels };
  }

  it("asks generateContent, streamed and whole, through the page that is connected", async () => {
    const { vendor, host, say, channels } = await rig();
    await expect(say()).rejects.toThrow(/provider aistudio not connected/);
    await connected(host, "aistudio", vendor.origin);
    await channels(1);
    expect(await say()).toBe("echo: hello there");
    expect(await say({ stream: false })).toBe("echo: hello there");
    expect(vendor.asked.map(({ path }) => path.replace(/.*:/, ""))).toEqual([
      "streamGenerateContent",
      "generateContent",
    ]);
  });

  it("asks a page as soon as it is there, whatever failed before it came", async () => {
    const { vendor, host, service, channels } = await rig();
    const request = ask(model, { fallbacks: ["offline/offline"] });
    const answeredBy = async () => (await hear(service.stream(request, never))).reply.model;
    const view = async () => {
      const reply = await host.request("/api/provider/runtime?provider=aistudio");
      return (reply.json() as { view: { items: [Record<string, unknown>] } }).view.items[0];
    };
    expect(await answeredBy()).toBe("offline/offline");
    expect(await view()).toMatchObject({ api_state: {}, candidate_order: null });
    await connected(host, "late", vendor.origin);
    await channels(1);
    expect(await answeredBy()).toBe(model);
    const { api_state: state } = await view();
    expect(state).toEqual({});
  });

  it("goes on to another page when one fails before the first chunk, and comes back to it by name", async () => {
    const { vendor, host, say, channels } = await rig();
    await connected(host, "broken", "http://127.0.0.1:9");
    await connected(host, "fine", vendor.origin);
    await channels(2);
    expect(await say()).toBe("echo: hello there");
    await expect(say({ aistudio_channel: "broken" })).rejects.toMatchObject({
      code: expect.stringMatching(/^UPSTREAM_/),
    });
    expect(await say({ relay_provider: "FINE" })).toBe("echo: hello there");
    expect(await say()).toBe("echo: hello there");
  });

  it("shows pages as accounts and as candidates, their comings and goings as changes, and clears what they did wrong", async () => {
    const { vendor, host, say, channels } = await rig();
    type Row = Readonly<Record<string, unknown>>;
    type Item = Readonly<Record<string, readonly Row[]>>;
    const item = async () => {
      const reply = await host.request("/api/provider/runtime?provider=aistudio");
      return (reply.json() as { view: { items: [Item] } }).view.items[0];
    };
    expect(await item()).toMatchObject({ candidate_order: null, events: [] });
    const broken = await connected(host, "broken", "http://127.0.0.1:9");
    await connected(host, "fine", vendor.origin);
    await channels(2);
    await say();
    const shown = await item();
    expect(shown.candidate_order).toMatchObject([
      { kind: "relay", target: "fine", available: true, status: "ready", health_score: 100 },
      { kind: "relay", target: "broken", available: false, status: "cooldown", health_score: 80, failure_count: 1 },
    ]);
    expect(shown.oauth_accounts).toMatchObject([
      { email: "fine", account_id: "fine", plan_type: "relay", quota_source: "relay", balance_label: "connected" },
      { email: "broken", cooldown_until: expect.any(String), failure_count: 1, health_score: 80 },
    ]);
    expect(shown.recent_hits).toMatchObject([{ kind: "relay", target: "fine", reason: "success" }]);
    expect(shown.last_success).toMatchObject({ kind: "relay", target: "fine" });
    expect(shown.recent_errors).toMatchObject([{ kind: "relay", target: "broken", reason: "relay_error" }]);
    const changes = shown.recent_changes?.filter(({ kind }) => kind === "relay");
    expect(changes).toMatchObject([
      { target: "fine", reason: "relay_connected" },
      { target: "broken", reason: "relay_connected" },
    ]);
    const accounts = await host.request("/api/provider/oauth/accounts?provider=aistudio");
    expect(accounts.json()).toEqual({ ok: true, accounts: shown.oauth_accounts });
    await host.request("/api/provider/runtime", { body: { provider: "aistudio", action: "clear_api_cooldown" } });
    expect((await item()).candidate_order).toMatchObject([{ status: "ready" }, { status: "ready" }]);
    await broken.close();
    await until(async () => (await item()).candidate_order?.length === 1);
    expect((await item()).recent_changes?.[0]).toMatchObject({ reason: "candidate_order_changed" });
    expect((await item()).events?.map(({ reason }) => reason)).toContain("relay_disconnected");
  });
});
