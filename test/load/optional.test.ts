/**
 * Plugins that others can do without come and go while turns run: no socket closes, no reply is cut, and nobody but the
 * plugin itself is set up anew.
 */
import type { ChangeResult, Plugin } from "@chela/sdk";
import { startHost, type TestHost, type TestSocket } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import chat from "../../plugins/chat/index.ts";
import keys from "../../plugins/keys/index.ts";
import mcp from "../../plugins/mcp/index.ts";
import openai from "../../plugins/openai/index.ts";
import providers from "../../plugins/providers/index.ts";
import relay from "../../plugins/relay/index.ts";
import store from "../../plugins/store/index.ts";
import tools from "../../plugins/tools/index.ts";
import usage from "../../plugins/usage/index.ts";
import workspace from "../../plugins/workspace/index.ts";
import { until } from "../kit/until.ts";

const all: readonly Plugin[] = [store, providers, chat, openai, relay, workspace, tools, mcp, keys, usage];
const slowly = "This reply of the offline model was spread over 3000 milliseconds, word by word.";

async function gateway(config: Record<string, unknown> = {}): Promise<TestHost> {
  const discovery = { enabled: false };
  const { models = {}, ...rest } = config as { models?: Record<string, unknown> };
  const host = await startHost({ plugins: all, port: 0, config: { models: { discovery, ...models }, ...rest } });
  onTestFinished(() => host.stop());
  return host;
}

interface Frame {
  readonly type: string;
  readonly delta?: string;
}

async function replyOf(socket: TestSocket, ask: unknown): Promise<string> {
  socket.send(ask);
  let text = "";
  for (;;) {
    const { type, delta } = (await socket.next()) as Frame;
    text += delta ?? "";
    if (type !== "chat_chunk") return `${text} [${type}]`;
  }
}

async function streamed(host: TestHost, model: string, content: string): Promise<string> {
  const reply = await fetch(`${host.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${host.token}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] }),
  });
  const lines = (await reply.text()).split("\n").filter((line) => line.startsWith("data: "));
  const parts = lines
    .slice(0, -1)
    .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] });
  return `${parts.map(({ choices }) => choices[0]?.delta.content ?? "").join("")} [${lines.at(-1)?.slice(6)}]`;
}

async function toggle(host: TestHost, id: string): Promise<readonly ChangeResult[]> {
  return [await host.plugins.disable(id, "test"), await host.plugins.reload(id), await host.plugins.enable(id, "test")];
}

it("workspace, relay, keys, usage, tools and mcp toggled under turns of every face: nothing closes, nothing is cut", async () => {
  const host = await gateway();
  const live = await host.connect("/api/chat/live?multi=1");
  const turns = [
    replyOf(live, { session: "live", message: "/slow 3000" }),
    streamed(host, "chela", "/slow 3000"),
    streamed(host, "offline/offline", "/slow 3000"),
  ];
  let over = false;
  const done = Promise.all(turns).finally(() => {
    over = true;
  });
  const restarted = new Set<string>();
  while (!over) {
    for (const id of ["workspace", "relay", "keys", "usage", "tools", "mcp"]) {
      for (const change of await toggle(host, id)) {
        expect(change.failed).toEqual([]);
        for (const name of change.restarted) restarted.add(name);
      }
    }
  }
  expect(await done).toEqual([`${slowly} [chat_done]`, `${slowly} [[DONE]]`, `${slowly} [[DONE]]`]);
  expect([...restarted]).toEqual([]);
  expect(await replyOf(live, { session: "live", message: "/echo still here" })).toBe("still here [chat_done]");
  expect(host.plugins.list().every(({ state }) => state === "running")).toBe(true);
  const loud = host.logs().filter(({ level }) => level === "ERROR");
  expect(loud).toEqual([]);
}, 60_000);

it("the tools and the prompt follow the workspace at once", async () => {
  const host = await gateway();
  const offered = async () => {
    const { tools: rows } = (await host.request("/api/tools")).json() as { tools: { name: string }[] };
    return rows.some(({ name }) => name === "read_file");
  };
  expect(await offered()).toBe(true);
  await host.plugins.disable("workspace", "test");
  expect(await offered()).toBe(false);
  await host.plugins.enable("workspace", "test");
  expect(await offered()).toBe(true);
});

it("a reply on its way over the relay comes to its end though the relay is switched off meanwhile", async () => {
  const host = await gateway({ models: { providers: { aistudio: { models: ["gemini-3.8-flash"] } } } });
  const page = await host.connect("/v1/ws");
  const reply = streamed(host, "aistudio/gemini-3.8-flash", "hello");
  const { id } = (await page.next()) as { id: string };
  const part = (text: string, more = {}) => {
    const body = { candidates: [{ content: { role: "model", parts: [{ text }] }, ...more }] };
    page.send({ id, type: "stream_chunk", payload: { data: `data: ${JSON.stringify(body)}\n\n` } });
  };
  page.send({ id, type: "stream_start", payload: { status: 200, headers: { "content-type": ["text/event-stream"] } } });
  part("one ");
  const off = host.plugins.disable("relay", "test");
  await until(async () => (await host.request("/v1/ws")).status === 404);
  part("two", { finishReason: "STOP" });
  page.send({ id, type: "stream_end" });
  expect(await reply).toBe("one two [[DONE]]");
  expect(await off).toMatchObject({ restarted: [], failed: [] });
  expect((await page.closed).code).toBe(1012);
});
