/** Writes one reply of the simulated upstream: JSON, SSE or the fault that was asked for. */
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Behaviour } from "./behaviour.ts";

export interface ChatRequest {
  readonly model?: string;
  readonly messages?: readonly { readonly role?: string; readonly content?: unknown }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

interface Answer {
  readonly request: ChatRequest;
  readonly how: Behaviour;
  readonly response: ServerResponse;
}

const created = 1_700_000_000;

export async function answerChat({ request, how, response }: Answer): Promise<void> {
  if (how.delayMs) await pause(how.delayMs);
  if (response.destroyed || how.fault === "hang-headers") return;
  if (how.fault === "cut-headers") {
    response.socket?.destroy();
    return;
  }
  if (how.status !== undefined) return refuse(how, response);
  if (request.stream === true && !how.whole) await stream({ request, how, response });
  else whole({ request, how, response });
}

function lastUserText(request: ChatRequest): string {
  const content = request.messages?.findLast((message) => message.role === "user")?.content;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as { text?: string }[]).map((part) => part.text ?? "[image]").join(" ");
}

function refuse(how: Behaviour, response: ServerResponse): void {
  const error = { message: how.message ?? "refused", type: "simulated_error", param: null, code: how.code ?? null };
  response.writeHead(how.status ?? 500, { "content-type": "application/json", ...how.headers });
  response.end(how.raw ?? JSON.stringify({ error }));
}

function whole({ request, how, response }: Answer): void {
  const text = JSON.stringify({
    id: "chatcmpl-sim",
    object: "chat.completion",
    created,
    model: request.model,
    choices: [{ index: 0, message: message(how, request), logprobs: null, finish_reason: finish(how) }],
    ...(how.usage ? { usage: how.usage } : {}),
  });
  const body = how.fault === "broken-sse" ? text.slice(0, -5) : text;
  const length = Buffer.byteLength(body);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": length,
    "x-request-id": "req_sim",
    ...how.headers,
  });
  if (how.fault === "hang-body") response.flushHeaders();
  else if (how.fault === "hang-stream") response.write(body.slice(0, length / 2));
  else if (how.fault?.startsWith("cut")) response.write(body.slice(0, length / 2), () => response.socket?.destroy());
  else response.end(body);
}

function message(how: Behaviour, request: ChatRequest): unknown {
  const calls = how.toolCalls?.map((call, index) => ({ id: `call_${index + 1}`, type: "function", function: call }));
  return {
    role: "assistant",
    content: calls ? null : (how.text ?? how.pieces?.join("") ?? `echo: ${lastUserText(request)}`),
    ...(how.reasoning ? { reasoning_content: how.reasoning } : {}),
    ...(calls ? { tool_calls: calls } : {}),
  };
}

async function stream(answer: Answer): Promise<void> {
  const { request, how, response } = answer;
  response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_sim", ...how.headers });
  response.flushHeaders();
  if (how.fault === "hang-body") return;
  send(response, chunk(request, { role: "assistant", content: "" }));
  if (how.reasoning) send(response, chunk(request, { reasoning_content: how.reasoning }));
  const pieces = piecesOf(how, request);
  const half = Math.ceil(pieces.length / 2);
  for (const [index, piece] of pieces.entries()) {
    if (index === half && (await breakOff(how, response))) return;
    if (how.chunkMs) await pause(how.chunkMs);
    if (response.destroyed) return;
    if (!send(response, chunk(request, { content: piece }))) await drained(response);
  }
  if (pieces.length < 2 && (await breakOff(how, response))) return;
  toolChunks(how, request, response);
  const final = chunk(request, {}, finish(how));
  if (how.fault === "cut-after-finish") {
    response.write(`data: ${JSON.stringify(final)}\n\n`, () => response.socket?.destroy());
    return;
  }
  send(response, final);
  if (how.usage && request.stream_options?.include_usage) {
    send(response, { ...envelope(request), choices: [], usage: how.usage });
  }
  if (how.fault === "open-end") response.write("data: [DONE]\n\n");
  else response.end("data: [DONE]\n\n");
}

/** True when the fault ended the reply. */
async function breakOff(how: Behaviour, response: ServerResponse): Promise<boolean> {
  switch (how.fault) {
    case "cut-stream":
      response.write("data: {", () => response.socket?.destroy());
      return true;
    case "cut-clean":
      response.end();
      return true;
    case "hang-stream":
      return true;
    case "broken-sse":
      response.write("data: {this is not JSON\n\n");
      return false;
    case "stream-error":
      send(response, { error: { message: how.message, type: "server_error", code: how.code ?? null } });
      response.end();
      return true;
    case "endless":
      while (!response.destroyed) {
        response.write(": still here\n\n");
        await pause(20);
      }
      return true;
    default:
      return false;
  }
}

/** Calls arrive as real upstreams send them: the name first, the arguments in pieces. */
function toolChunks(how: Behaviour, request: ChatRequest, response: ServerResponse): void {
  for (const [index, call] of (how.toolCalls ?? []).entries()) {
    const head = { index, id: `call_${index + 1}`, type: "function", function: { name: call.name, arguments: "" } };
    send(response, chunk(request, { tool_calls: [head] }));
    const middle = Math.ceil(call.arguments.length / 2);
    for (const part of [call.arguments.slice(0, middle), call.arguments.slice(middle)]) {
      if (part !== "") send(response, chunk(request, { tool_calls: [{ index, function: { arguments: part } }] }));
    }
  }
}

function piecesOf(how: Behaviour, request: ChatRequest): readonly string[] {
  if (how.pieces) return how.pieces;
  if (how.toolCalls) return [];
  const text = how.text ?? `echo: ${lastUserText(request)}`;
  return text.match(/\S+\s*/g) ?? [];
}

function finish(how: Behaviour): string {
  return how.finish ?? (how.toolCalls ? "tool_calls" : "stop");
}

function envelope(request: ChatRequest): Record<string, unknown> {
  return { id: "chatcmpl-sim", object: "chat.completion.chunk", created, model: request.model };
}

function chunk(request: ChatRequest, delta: unknown, finishReason: string | null = null): unknown {
  return { ...envelope(request), choices: [{ index: 0, delta, finish_reason: finishReason }] };
}

function send(response: ServerResponse, value: unknown): boolean {
  return response.write(`data: ${JSON.stringify(value)}\n\n`);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off("drain", settle).off("close", settle);
      resolve();
    };
    response.on("drain", settle).on("close", settle);
  });
}
