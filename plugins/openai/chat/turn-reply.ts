/**
 * A turn as an OpenAI completion, whole or as a stream. The status is decided by the first thing that happens, so a turn that
 * fails before it said anything has a proper error status; one that fails later ends with an error event, never with `stop`.
 */
import { randomUUID } from "node:crypto";
import {
  GatewayError,
  Reply,
  type ToolCall,
  type TurnEvent,
  type TurnResult,
  type TurnRun,
  type Usage,
} from "@chela/sdk";
import { asGatewayError, errorEvent } from "../errors.ts";

export interface ReplyOptions {
  /** The name the client asked for. */
  readonly model: string;
  readonly includeUsage: boolean;
}

export async function wholeReply(run: TurnRun, { model }: ReplyOptions): Promise<unknown> {
  const result = complete(await run.done);
  const { toolCalls, text, usage, reasoning } = result;
  const message = {
    role: "assistant",
    content: text === "" && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(wireCall) } : {}),
  };
  return {
    id: completionId(),
    object: "chat.completion",
    created: seconds(),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(result) }],
    usage: wireUsage(usage),
  };
}

export async function streamReply(run: TurnRun, options: ReplyOptions): Promise<Reply> {
  const events = run.events[Symbol.asyncIterator]();
  let head = await events.next();
  while (!head.done && head.value.type === "start") head = await events.next();
  // Nothing was said: the turn is over, and if it failed this throws.
  if (head.done) complete(await run.done);
  return Reply.sse(frames(run, head, events, options));
}

async function* frames(
  run: TurnRun,
  head: IteratorResult<TurnEvent>,
  events: AsyncIterator<TurnEvent>,
  { model, includeUsage }: ReplyOptions,
): AsyncGenerator<string> {
  const open = `data: {"id":"${completionId()}","object":"chat.completion.chunk","created":${seconds()},"model":${JSON.stringify(model)}`;
  const frame = (delta: string, finish = "null"): string =>
    `${open},"choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}\n\n`;
  let over = false;
  try {
    yield frame('{"role":"assistant","content":""}');
    for (let next = head; !next.done; next = await events.next()) {
      const event = next.value;
      if (event.type === "text") yield frame(`{"content":${JSON.stringify(event.text)}}`);
      else if (event.type === "reasoning") yield frame(`{"reasoning_content":${JSON.stringify(event.text)}}`);
      // The agent's own tools stay inside; a comment keeps proxies from giving up meanwhile.
      else yield ": working\n\n";
    }
    const result = complete(await run.done);
    over = true;
    for (const [index, call] of result.toolCalls.entries()) {
      yield frame(JSON.stringify({ tool_calls: [{ index, ...wireCall(call) }] }));
    }
    yield frame("{}", JSON.stringify(finishOf(result)));
    if (includeUsage) yield `${open},"choices":[],"usage":${JSON.stringify(wireUsage(result.usage))}}\n\n`;
    yield "data: [DONE]\n\n";
  } catch (error) {
    over = true;
    yield errorEvent(asGatewayError(error));
  } finally {
    if (!over) run.abort("the client closed the connection");
  }
}

/** The result of a turn that came to its end by itself. */
export function complete(result: TurnResult): TurnResult {
  if (result.stop === "aborted")
    throw new GatewayError("TURN_ABORTED", 409, "The turn was aborted before its reply was complete.");
  if (result.stop === "error")
    throw new GatewayError("TURN_FAILED", 502, "The turn failed before its reply was complete.");
  return result;
}

function finishOf({ stop, toolCalls }: TurnResult): string {
  return toolCalls.length > 0 ? "tool_calls" : stop === "tool_calls" ? "stop" : stop;
}

function wireCall({ id, name, arguments: text }: ToolCall): Record<string, unknown> {
  return { id, type: "function", function: { name, arguments: text } };
}

function wireUsage(usage: Usage | null): unknown {
  const { inputTokens = 0, outputTokens = 0, cachedTokens, reasoningTokens } = usage ?? {};
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
    ...(reasoningTokens === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}

function completionId(): string {
  return `chatcmpl-${randomUUID()}`;
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
