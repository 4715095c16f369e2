/** The whole way: a question over HTTP, the agent's turn with tools in several rounds, and a strict vendor behind every wire. */
import { definePlugin, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import chat from "../../../../plugins/chat/index.ts";
import providersPlugin from "../../../../plugins/providers/index.ts";
import store from "../../../../plugins/store/index.ts";
import { startAnthropic } from "../../../simulators/anthropic/api.ts";
import { startGemini } from "../../../simulators/gemini/api.ts";
import { startResponses } from "../../../simulators/responses/api.ts";
import type { Vendor } from "../../../simulators/vendor/server.ts";

const starts = { anthropic: startAnthropic, gemini: startGemini, responses: startResponses };
const keys = { anthropic: "sk-ant-sim", gemini: "AIza-sim", responses: "sk-sim" };
const models = { anthropic: "claude-sonnet-5-5", gemini: "gemini-3.8-flash", responses: "gpt-4.1" };

const weather = definePlugin({
  id: "weather",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.tool({
      name: "weather",
      about: "The weather of a city",
      risk: "read",
      access: "read",
      input: Type.Object({ city: Type.String(), days: Type.Optional(Type.Integer({ minimum: 1 })) }),
      run: ({ city }) => `It rains in ${city}.`,
    });
  },
});

async function host(wire: keyof typeof starts): Promise<{ vendor: Vendor; started: TestHost }> {
  const vendor = await starts[wire]();
  const base = { anthropic: vendor.origin, gemini: vendor.origin, responses: `${vendor.origin}/v1` }[wire];
  const sim = { api: wire, api_base: base, api_key: keys[wire], models: [models[wire]] };
  const started = await startHost({
    plugins: [store, chat, providersPlugin, weather],
    config: { models: { providers: { sim } } },
  });
  onTestFinished(() => started.stop());
  return { vendor, started };
}

const rain = { name: "weather", args: { city: "Ülm", days: 2 } };

describe.each(["anthropic", "gemini", "responses"] as const)("%s", (wire) => {
  test("a question is answered after two rounds of tools, thoughts and parallel calls included", async () => {
    const { vendor, started } = await host(wire);
    vendor.script(
      { reasoning: "Look.", calls: [rain, { ...rain, args: { city: "Köln" } }] },
      { reasoning: "Again.", text: "Hm.", calls: [rain] },
      { text: "Take an umbrella." },
    );
    const body = JSON.stringify({ session: "s", message: "Weather?" });
    const answer = await started.request("/api/chat", { method: "POST", body });
    expect(answer.text).toMatch(/^\{/);
    expect(answer.json()).toMatchObject({ ok: true, reply: expect.stringContaining("Take an umbrella.") });
    expect(vendor.asked).toHaveLength(3);
    const sent = JSON.stringify(vendor.asked[2]?.body);
    expect(sent.split("It rains in Ülm.").length - 1).toBe(2);
    expect(sent).toContain("It rains in Köln.");
    // The history of the next turn has no thoughts any more, and is still what the vendor takes.
    const next = await started.request("/api/chat", {
      method: "POST",
      body: JSON.stringify({ session: "s", message: "Thanks" }),
    });
    expect(next.json()).toMatchObject({ reply: "echo: Thanks" });
  });

  test("what the vendor refuses is told with its words, and no key", async () => {
    const { vendor, started } = await host(wire);
    vendor.script({ status: 400, error: { message: `you sent ${keys[wire]}, and that is too much` } });
    const answer = await started.request("/api/chat", {
      method: "POST",
      body: JSON.stringify({ session: "s", message: "x" }),
    });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain("and that is too much");
    expect(answer.text).not.toContain(keys[wire]);
  });
});
