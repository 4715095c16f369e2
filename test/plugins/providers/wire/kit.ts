/** The three simulated vendors as providers of one gateway, and a conversation with tools over several rounds. */
import type { Message, ModelReply, ModelRequest, ToolSpec } from "@chela/sdk";
import { httpServer, type TestServer } from "../../../kit/http-server.ts";
import { startAnthropic } from "../../../simulators/anthropic/api.ts";
import { startGemini } from "../../../simulators/gemini/api.ts";
import { startResponses } from "../../../simulators/responses/api.ts";
import type { Turn, Vendor } from "../../../simulators/vendor/server.ts";
import { ask, hear, makeUpstreams, never } from "../kit.ts";

export const wires = ["anthropic", "gemini", "responses"] as const;
export type WireId = (typeof wires)[number];

export interface Setup {
  readonly vendor: Vendor;
  readonly upstreams: ReturnType<typeof makeUpstreams>;
  /** `provider/model`; thinks. */
  readonly model: string;
}

const starts = { anthropic: startAnthropic, gemini: startGemini, responses: startResponses };
const models = { anthropic: "claude-sonnet-5-5", gemini: "gemini-3.8-flash", responses: "gpt-4.1" };
const keys = { anthropic: "sk-ant-sim", gemini: "AIza-sim", responses: "sk-sim" };

/** A provider of this wire, as somebody would configure it. */
export async function setup(wire: WireId, entry: Record<string, unknown> = {}): Promise<Setup> {
  const vendor = await starts[wire]();
  return { vendor, upstreams: provider(wire, vendor.origin, entry), model: `sim/${models[wire]}` };
}

export function provider(wire: WireId, origin: string, entry: Record<string, unknown> = {}): Setup["upstreams"] {
  const base = { anthropic: origin, gemini: `${origin}/v1beta`, responses: `${origin}/v1` }[wire];
  return makeUpstreams({ sim: { api: wire, api_base: base, api_key: keys[wire], ...entry } });
}

export const tools: readonly ToolSpec[] = [
  {
    name: "weather",
    about: "The weather of a city",
    input: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
  { name: "clock", about: "The time", input: { type: "object", properties: {} } },
];

/** What a turn of an agent does with a reply that calls tools: the reply, then a result of each call. */
export function withResults(
  messages: readonly Message[],
  reply: ModelReply,
  result = (name: string) => `result of ${name}`,
): Message[] {
  const { text, toolCalls, reasoning, native } = reply;
  return [
    ...messages,
    { role: "assistant", content: text, toolCalls, ...(reasoning ? { reasoning } : {}), ...(native ? { native } : {}) },
    ...toolCalls.map(({ id, name }): Message => ({ role: "tool", toolCallId: id, content: result(name) })),
  ];
}

/** Asks, answers the calls, and asks again until no tool is called; all replies. */
export async function rounds(
  { upstreams, vendor, model }: Setup,
  turns: readonly Turn[],
  more: Partial<ModelRequest> = {},
): Promise<ModelReply[]> {
  vendor.script(...turns);
  const replies: ModelReply[] = [];
  let messages: readonly Message[] = more.messages ?? [{ role: "user", content: "What is the weather?" }];
  for (let round = 0; round <= turns.length; round++) {
    const { reply } = await hear(upstreams.stream({ model, tools, ...more, messages }, never));
    replies.push(reply);
    if (reply.toolCalls.length === 0) break;
    messages = withResults(messages, reply);
  }
  return replies;
}

/** What a chat upstream is sent. */
export type Body = Record<string, unknown> & { messages: Record<string, unknown>[] };

/** A chat upstream that streams the deltas, in as many requests as there are. */
export async function speaking(...replies: readonly (readonly Record<string, unknown>[])[]): Promise<TestServer> {
  let next = 0;
  return httpServer((_, reply) => {
    const deltas = replies[Math.min(next++, replies.length - 1)] ?? [];
    reply.writeHead(200, { "content-type": "text/event-stream" });
    for (const delta of deltas) reply.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
    reply.end(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`);
  });
}

/** The shortest reply. */
export const hi = [{ content: "hi" }];

/** What a provider of this entry sends for the request. */
export async function sent(
  entry: Record<string, unknown>,
  request: Partial<ModelRequest> & { model: string },
): Promise<Body & { headers: Record<string, unknown>; path: string }> {
  const server = await speaking(hi);
  const upstreams = makeUpstreams({ sim: { api_base: `${server.origin}/v1`, api_key: "sk-sim-0123456789", ...entry } });
  await hear(upstreams.stream({ ...ask(request.model), ...request }, never));
  const seen = server.seen[0] as TestServer["seen"][number];
  return { ...(JSON.parse(seen.body) as Body), headers: seen.headers, path: seen.path };
}
