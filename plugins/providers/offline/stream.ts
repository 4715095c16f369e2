/** The offline model behind both doors: normalised events for turns, and OpenAI's wire for requests that pass straight through. */
import { setImmediate as breathe, setTimeout as pause } from "node:timers/promises";
import {
  type Cancellation,
  type ForwardReply,
  type ForwardRequest,
  GatewayError,
  type Message,
  type ModelRequest,
  signalOf,
  type ToolCall,
  type Usage,
} from "@chela/sdk";
import type { EventBatches } from "../call.ts";
import { aborted } from "../failover/faults.ts";
import { offline } from "./model.ts";
import { answer, type Line, words } from "./script.ts";

export async function* offlineEvents(request: ModelRequest, signal: Cancellation): EventBatches {
  const offered = request.toolChoice === "none" ? [] : (request.tools ?? []);
  const line = answer(
    request.messages,
    offered.map((tool) => tool.name),
  );
  for await (const text of spoken(line, signal)) yield [{ type: "text", text }];
  if (line.calls.length > 0) yield line.calls.map((call) => ({ type: "tool", call }));
  const reply = {
    provider: offline.provider,
    model: offline.id,
    text: line.text,
    toolCalls: line.calls,
    usage: usage(line),
  };
  yield [{ type: "done", reply: { ...reply, stop: line.calls.length > 0 ? "tool_calls" : "stop" } }];
}

/** With what it used, whether the client asked for that or not. */
export function offlineForward(request: ForwardRequest): ForwardReply & { readonly usage: Usage } {
  if (request.path !== "/chat/completions") {
    throw new GatewayError(
      "UPSTREAM_REQUEST",
      404,
      `offline/offline has no ${request.path}: it only chats. Configure a provider in models.providers.`,
    );
  }
  const tools = (Array.isArray(request.body.tools) ? request.body.tools : []) as { function?: { name?: unknown } }[];
  const messages = Array.isArray(request.body.messages) ? request.body.messages.map(fromWire) : [];
  const line = answer(
    messages,
    request.body.tool_choice === "none" ? [] : tools.map((tool) => String(tool?.function?.name)),
  );
  const streamed = request.body.stream === true;
  return {
    status: 200,
    headers: { "content-type": streamed ? "text/event-stream" : "application/json" },
    body: streamed ? chunks(line, request) : whole(line, request.signal),
    model: offline.id,
    usage: usage(line),
  };
}

/** Word by word, each in its own turn of the event loop, spread over the pause that was asked for. */
async function* spoken(line: Line, cancellation: Cancellation): AsyncGenerator<string> {
  const signal = signalOf(cancellation);
  const pieces = words(line.text);
  for (const piece of pieces) {
    try {
      await (line.pauseMs > 0
        ? pause(line.pauseMs / pieces.length, undefined, { signal })
        : breathe(undefined, { signal }));
    } catch (error) {
      throw aborted(offline, error);
    }
    yield piece;
  }
}

async function* whole(line: Line, signal: Cancellation): AsyncGenerator<Uint8Array> {
  for await (const _ of spoken(line, signal));
  const message = {
    role: "assistant",
    content: line.calls.length > 0 ? null : line.text,
    ...(line.calls.length > 0 ? { tool_calls: line.calls.map(wireCall) } : {}),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: line.calls.length > 0 ? "tool_calls" : "stop" };
  yield Buffer.from(JSON.stringify({ ...envelope("chat.completion"), choices: [choice], usage: wireUsage(line) }));
}

async function* chunks(line: Line, request: ForwardRequest): AsyncGenerator<Uint8Array> {
  const event = (delta: unknown, finish: string | null = null): Uint8Array =>
    frame({ ...envelope("chat.completion.chunk"), choices: [{ index: 0, delta, finish_reason: finish }] });
  yield event({ role: "assistant", content: "" });
  for await (const text of spoken(line, request.signal)) yield event({ content: text });
  for (const [index, call] of line.calls.entries()) yield event({ tool_calls: [{ index, ...wireCall(call) }] });
  yield event({}, line.calls.length > 0 ? "tool_calls" : "stop");
  const options = request.body.stream_options as { include_usage?: unknown } | null | undefined;
  if (options?.include_usage === true) {
    yield frame({ ...envelope("chat.completion.chunk"), choices: [], usage: wireUsage(line) });
  }
  yield Buffer.from("data: [DONE]\n\n");
}

function envelope(object: string): Record<string, unknown> {
  return { id: "chatcmpl-offline", object, created: Math.floor(Date.now() / 1000), model: offline.model };
}

function frame(value: unknown): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}

function wireCall(call: ToolCall): Record<string, unknown> {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

function usage(line: Line): Usage {
  return { inputTokens: line.inputTokens, outputTokens: line.outputTokens };
}

function wireUsage(line: Line): unknown {
  const { inputTokens, outputTokens } = usage(line);
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

/** As much of a wire message as the script looks at. */
function fromWire(value: unknown): Message {
  const { role, content, tool_calls, tool_call_id } = (value ?? {}) as Record<string, unknown>;
  const parts = Array.isArray(content) ? (content as { type?: unknown; text?: unknown }[]) : [];
  const calls = (Array.isArray(tool_calls) ? tool_calls : []) as { id?: unknown; function?: { name?: unknown } }[];
  return {
    role: role as Message["role"],
    content:
      typeof content === "string"
        ? content
        : parts.map((part) => (part?.type === "text" ? String(part.text) : "[image]")).join("\n"),
    toolCalls: calls.map((call) => ({ id: String(call?.id), name: String(call?.function?.name), arguments: "" })),
    ...(typeof tool_call_id === "string" ? { toolCallId: tool_call_id } : {}),
  };
}
