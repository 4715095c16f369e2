/** The provider `aistudio` through a real relay client: a page's requests reach the model, its stream reaches whoever asked. */
import { type ModelEvent, providers } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import providersPlugin from "../../../plugins/providers/index.ts";
import relayPlugin from "../../../plugins/relay/index.ts";
import { until } from "../../kit/until.ts";
import { startGemini } from "../../simulators/gemini/api.ts";
import { relayClient } from "../../simulators/relay/client.ts";

async function world() {
  const vendor = await startGemini({ open: true });
  const host = await startHost({
    plugins: [providersPlugin, relayPlugin],
    port: 0,
    config: { models: { providers: { aistudio: { models: ["gemini-3.8-flash"] } } } },
  });
  onTestFinished(() => host.stop());
  const connect = async (provider?: string) => {
    const client = await relayClient({ gateway: host.url, token: host.token, origin: vendor.origin, provider });
    onTestFinished(() => client.ws.terminate());
    return client;
  };
  const ask = (signal = new AbortController().signal) =>
    host
      .service(providers)
      .stream({ model: "aistudio/gemini-3.8-flash", messages: [{ role: "user", content: "hello 世界" }] }, signal);
  return { vendor, host, connect, ask };
}

async function text(events: AsyncIterable<ModelEvent>): Promise<string> {
  let all = "";
  for await (const event of events) if (event.type === "text") all += event.text;
  return all;
}

describe("aistudio over the relay", () => {
  it("answers in a stream", async () => {
    const { ask, connect, vendor } = await world();
    await connect();
    vendor.script({ pieces: ["one ", "二 ", "three"] });
    expect(await text(ask())).toBe("one 二 three");
    expect(vendor.asked.map(({ path }) => path)).toEqual(["/v1beta/models/gemini-3.8-flash:streamGenerateContent"]);
  });

  it("without a client it says so; with one it works; a client that leaves half-way is a fault of its own", async () => {
    const { ask, connect, vendor } = await world();
    await expect(text(ask())).rejects.toThrow("wsrelay: provider aistudio not connected");
    const client = await connect();
    vendor.script({ pieces: ["half ", "whole"], fault: "stall" });
    const events = ask()[Symbol.asyncIterator]();
    for (let seen = ""; seen !== "text"; ) seen = (await events.next()).value?.type;
    client.ws.terminate();
    const rest = async () => {
      while (!(await events.next()).done);
    };
    await expect(rest()).rejects.toThrow("connection closed during response");
  });

  it("an abort reaches the page, which lets go of the model", async () => {
    const { ask, connect, vendor } = await world();
    const client = await connect();
    vendor.script({ pieces: ["half ", "whole"], fault: "stall" });
    const abort = new AbortController();
    const events = ask(abort.signal)[Symbol.asyncIterator]();
    for (let seen = ""; seen !== "text"; ) seen = (await events.next()).value?.type;
    abort.abort(new Error("enough"));
    await events.next().catch(() => undefined);
    await until(() => client.cancelled.length === 1);
    await until(() => vendor.asked[0]?.aborted === true);
  });

  it("goes to the next client when one refuses before its first piece", async () => {
    const { ask, connect, vendor } = await world();
    const [a, b] = [await connect("a"), await connect("b")];
    vendor.script({ status: 500 }, { text: "from the other" });
    expect(await text(ask())).toBe("from the other");
    expect([a, b].map(({ seen }) => seen.filter(({ type }) => type === "http_request").length)).toEqual([1, 1]);
  });
});
