/** The `response` object of OpenAI's Responses API: what was asked for is told back, what was said are its items. */
import { randomBytes } from "node:crypto";
import { isObject, type ToolCall, type TurnResult, type Usage } from "@chela/sdk";

export type Body = Readonly<Record<string, unknown>>;

export interface ResponseHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The name the client asked for. */
  readonly model: string;
  readonly body: Body;
}

export type Item = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

export type Status = "in_progress" | "completed" | "incomplete" | "failed";

export interface ResponseEnd {
  readonly status: Status;
  readonly output: readonly Item[];
  readonly usage?: Usage | null;
  readonly reason?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const itemOf = /^(?:msg|fc|rs)_([0-9a-f]{48})[0-9a-f]{4}$/;

export function newResponseId(): string {
  return `resp_${randomBytes(24).toString("hex")}`;
}

/** The item's id leads back to its response: a later request may name it. */
export function itemId(prefix: "msg" | "fc" | "rs", response: string, index: number): string {
  return `${prefix}_${response.slice("resp_".length)}${index.toString(16).padStart(4, "0")}`;
}

/** The response that an item is of. */
export function responseOf(item: string): string | undefined {
  const id = itemOf.exec(item)?.[1];
  return id === undefined ? undefined : `resp_${id}`;
}

export function responseObject(
  { id, createdAt, model, body }: ResponseHead,
  end: ResponseEnd,
): Record<string, unknown> {
  const { status, output, usage, reason, error } = end;
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  return {
    id,
    object: "response",
    created_at: createdAt,
    status,
    background: false,
    error: error ?? null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model,
    output,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    store: body.store !== false,
    temperature: body.temperature ?? null,
    text: isObject(body.text) ? { format: { type: "text" }, ...body.text } : { format: { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? null,
    truncation: "disabled",
    usage: usage ? usageOf(usage) : null,
    user: body.user ?? null,
    metadata: isObject(body.metadata) ? body.metadata : {},
  };
}

/** How a turn's end reads here. */
export function endOf(result: TurnResult): { status: "completed" | "incomplete"; reason?: string } {
  if (result.stop === "length") return { status: "incomplete", reason: "max_output_tokens" };
  if (result.stop === "content_filter") return { status: "incomplete", reason: "content_filter" };
  return { status: "completed" };
}

export function messageItem(id: string, text: string, status: Status = "completed"): Item {
  const content = status === "in_progress" ? [] : [textPart(text)];
  return { id, type: "message", status, role: "assistant", content };
}

export function textPart(text: string): Record<string, unknown> {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

export function reasoningItem(id: string, text: string): Item {
  return { id, type: "reasoning", summary: text === "" ? [] : [{ type: "summary_text", text }] };
}

export function callItem(id: string, call: ToolCall, status: Status = "completed"): Item {
  const text = status === "in_progress" ? "" : call.arguments;
  return { id, type: "function_call", status, call_id: call.id, name: call.name, arguments: text };
}

function usageOf({ inputTokens, outputTokens, cachedTokens = 0, reasoningTokens = 0 }: Usage): unknown {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}
