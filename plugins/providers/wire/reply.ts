/**
 * Assembles the pieces of a chat completion, streamed or whole, into ModelEvents and the final ModelReply.
 * A stream counts as complete only after a finish reason or `[DONE]`; anything else is `UPSTREAM_CUT`, never `stop`.
 */
import type { ModelEvent, ModelReply, StopReason, ToolCall, Usage } from "@chela/sdk";
import { bodyFault, type Culprit, fault } from "../faults.ts";
import { limits } from "../limits.ts";

interface ToolDelta {
  readonly index?: number;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
}

interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: readonly ToolDelta[] | null;
}

interface Choice {
  readonly delta?: Delta | null;
  readonly message?: Delta | null;
  readonly finish_reason?: string | null;
}

interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
}

/** What upstreams call the end of a reply, where it is not simply its end. */
const stops: Readonly<Record<string, StopReason>> = {
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  model_length: "length",
  content_filter: "content_filter",
  safety: "content_filter",
  sensitive: "content_filter",
  prohibited_content: "content_filter",
  recitation: "content_filter",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
};

/** Reasons of an upstream that could not finish: such a reply is cut, however politely it says so. */
const cuts: ReadonlySet<string> = new Set(["error", "abort", "network_error", "insufficient_system_resource"]);

export interface Target extends Culprit {
  readonly provider: string;
  readonly model: string;
}

export class ReplyBuilder {
  readonly #target: Target;
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  readonly #slots = new Map<number, number>();
  #text = "";
  #reasoning = "";
  #usage: Usage | null = null;
  #stop: StopReason | undefined;
  #done = false;

  constructor(target: Target) {
    this.#target = target;
  }

  /** `[DONE]` was seen: nothing more is expected. */
  get done(): boolean {
    return this.#done;
  }

  /** A finish reason or `[DONE]` was seen. */
  get complete(): boolean {
    return this.#done || this.#stop !== undefined;
  }

  /** One `data:` line. Adds what it brings to `out`. */
  data(data: string, out: ModelEvent[]): void {
    if (this.#done || data === "") return;
    if (data.length < 20 && data.trim() === "[DONE]") {
      this.#done = true;
      return;
    }
    this.chunk(parse(data, this.#target), out);
  }

  /** An event that calls itself an error. */
  fail(data: string): never {
    const said = parse(data, this.#target) as { error?: unknown };
    throw bodyFault(this.#target, said.error ?? said);
  }

  /** One parsed chunk, or a whole completion. */
  chunk(chunk: unknown, out: ModelEvent[]): void {
    const { error, choices, usage } = chunk as {
      error?: unknown;
      choices?: readonly Choice[];
      usage?: WireUsage | null;
    };
    if (error) throw bodyFault(this.#target, error);
    if (usage) this.#usage = toUsage(usage);
    const choice = Array.isArray(choices) ? (choices[0] as Choice | undefined) : undefined;
    if (!choice) return;
    const delta = choice.delta ?? choice.message;
    if (delta) this.#delta(delta, out);
    if (choice.finish_reason) this.#stop = this.#stopOf(String(choice.finish_reason).toLowerCase());
  }

  /** The calls that were assembled, as events, then the reply. */
  finish(out: ModelEvent[]): void {
    if (!this.complete) {
      throw fault("UPSTREAM_CUT", this.#target, "the stream ended without a finish reason: the reply is incomplete");
    }
    const toolCalls: ToolCall[] = this.#calls.map((call) => ({ ...call, arguments: call.arguments || "{}" }));
    for (const call of toolCalls) out.push({ type: "tool", call });
    const reply: ModelReply = {
      provider: this.#target.provider,
      model: this.#target.id,
      text: this.#text,
      ...(this.#reasoning ? { reasoning: this.#reasoning } : {}),
      toolCalls,
      usage: this.#usage,
      stop: toolCalls.length > 0 && this.#stop !== "length" ? "tool_calls" : (this.#stop ?? "stop"),
    };
    out.push({ type: "done", reply });
  }

  #delta(delta: Delta, out: ModelEvent[]): void {
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === "string" && reasoning !== "") {
      this.#reasoning += reasoning;
      out.push({ type: "reasoning", text: reasoning });
    }
    const text = textOf(delta.content) || textOf(delta.refusal);
    if (text !== "") {
      this.#text += text;
      out.push({ type: "text", text });
    }
    if (!Array.isArray(delta.tool_calls)) return;
    for (const [position, piece] of (delta.tool_calls as (ToolDelta | null)[]).entries())
      this.#toolDelta(piece, position);
  }

  #stopOf(reason: string): StopReason {
    if (cuts.has(reason)) throw fault("UPSTREAM_CUT", this.#target, `the upstream gave up: finish reason ${reason}`);
    return stops[reason] ?? "stop";
  }

  #toolDelta(piece: ToolDelta | null, position: number): void {
    if (!piece) return;
    const index = piece.index ?? position;
    const slot = this.#slots.get(index);
    let call = slot === undefined ? undefined : this.#calls[slot];
    // Some servers number every call 0 and tell them apart by id only.
    if (!call || (piece.id && call.id !== piece.id && piece.function?.name)) {
      if (this.#calls.length >= limits.toolCalls)
        throw fault("UPSTREAM_PROTOCOL", this.#target, `more than ${limits.toolCalls} tool calls in one reply`);
      call = { id: piece.id || `call_${this.#calls.length + 1}`, name: "", arguments: "" };
      this.#slots.set(index, this.#calls.push(call) - 1);
    }
    if (piece.function?.name && call.name === "") call.name = piece.function.name;
    const args = piece.function?.arguments;
    if (typeof args === "string") call.arguments += args;
    else if (args) call.arguments += JSON.stringify(args);
  }
}

function parse(data: string, target: Target): unknown {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, with a piece of the text.
  }
  throw fault("UPSTREAM_PROTOCOL", target, `the reply is not valid JSON: ${JSON.stringify(data.slice(0, 120))}`);
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === "string" ? part.text : "")).join("");
}

function toUsage(usage: WireUsage): Usage {
  const cached = usage.prompt_tokens_details?.cached_tokens;
  return {
    inputTokens: count(usage.prompt_tokens),
    outputTokens: count(usage.completion_tokens),
    ...(cached === undefined ? {} : { cachedTokens: count(cached) }),
  };
}

function count(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}
