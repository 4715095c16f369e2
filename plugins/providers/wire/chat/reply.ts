/**
 * Assembles the pieces of a chat completion, streamed or whole, into ModelEvents and the final ModelReply.
 * A stream counts as complete only after a finish reason, or `[DONE]` behind anything at all.
 */
import type { ModelEvent, NativeParts, StopReason, Usage } from "@chela/sdk";
import { complaintIn } from "../../failover/error-body.ts";
import { bodyFault, fault } from "../../failover/faults.ts";
import { count, counted, type OpenCall, parseObject, Reader, textOf } from "../assembly.ts";
import type { Target } from "../dialect.ts";
import type { MarkupFilter } from "./markup.ts";
import { addDetails, textIn, thoughtsIn } from "./parts.ts";

interface ToolDelta {
  readonly index?: number;
  readonly id?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | null;
  /** Signatures of thoughts, where Google's models are behind this wire. */
  readonly extra_content?: unknown;
}

interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_details?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: readonly ToolDelta[] | null;
}

interface Choice {
  readonly delta?: Delta | null;
  readonly message?: Delta | null;
  readonly finish_reason?: string | null;
  /** Where Moonshot tells it. */
  readonly usage?: unknown;
}

/** What upstreams call the end of a reply, where it is not simply its end. */
const stops: Readonly<Record<string, StopReason>> = {
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  model_length: "length",
  model_context_window_exceeded: "length",
  repetition_truncation: "length",
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

/** What goes back to the same model beside text and calls. */
export interface ChatParts {
  readonly by: string;
  readonly reasoningDetails?: readonly unknown[];
  /** By the id of the call. */
  readonly extras?: Readonly<Record<string, unknown>>;
}

export class ChatReader extends Reader {
  readonly #slots = new Map<number, OpenCall>();
  /** Only where a preset says that calls may hide in the text. */
  readonly #markup: MarkupFilter | undefined;
  readonly #details: Record<string, unknown>[] = [];
  #extras: Record<string, unknown> | undefined;
  /** A chunk of a reply has come. */
  #begun = false;

  constructor(target: Target, markup?: MarkupFilter) {
    super(target);
    this.#markup = markup;
  }

  event(name: string | undefined, data: string, out: ModelEvent[]): void {
    if (name === "error") this.#fail(data);
    if (this.over || data === "") return;
    if (data.length < 20 && data.trim() === "[DONE]") {
      this.over = true;
      if (this.#begun) this.reply.stop ??= "stop";
      return;
    }
    this.#chunk(parseObject(data, this.target), out);
  }

  whole(text: string, out: ModelEvent[]): void {
    this.#chunk(parseObject(text.trim(), this.target), out);
  }

  override finish(out: ModelEvent[]): void {
    if (this.#markup) {
      const { text, calls } = this.#markup.end();
      this.reply.text(text, out);
      for (const call of calls) this.reply.openCall(undefined, call.name).arguments = call.arguments;
    }
    super.finish(out);
  }

  /** An event that calls itself an error. */
  #fail(data: string): never {
    const said = parseObject(data, this.target);
    throw bodyFault(this.target, said.error ?? said);
  }

  /** One chunk, or a whole completion. */
  #chunk(chunk: Readonly<Record<string, unknown>>, out: ModelEvent[]): void {
    if (chunk.error) throw bodyFault(this.target, chunk.error);
    if (chunk.usage) this.reply.usage = chatUsage(chunk.usage);
    const choice = Array.isArray(chunk.choices) ? (chunk.choices[0] as Choice | undefined) : undefined;
    if (!choice) {
      this.#heed(chunk);
      return;
    }
    this.#begun = true;
    if (choice.usage) this.reply.usage = chatUsage(choice.usage);
    const delta = choice.delta ?? choice.message;
    if (delta) this.#delta(delta, out);
    if (choice.finish_reason) this.reply.stop = this.#stopOf(String(choice.finish_reason).toLowerCase());
  }

  /** A chunk without anything of a reply: some vendors complain in it, with status 200. */
  #heed(chunk: Readonly<Record<string, unknown>>): void {
    const complaint = Array.isArray(chunk.choices) ? undefined : complaintIn(chunk);
    if (complaint) throw bodyFault(this.target, complaint);
  }

  #delta(delta: Delta, out: ModelEvent[]): void {
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    if (typeof reasoning === "string") this.reply.reasoning(reasoning, out);
    if (Array.isArray(delta.content)) this.reply.reasoning(thoughtsIn(delta.content), out);
    if (Array.isArray(delta.reasoning_details)) addDetails(this.#details, delta.reasoning_details, this.target);
    const text = textIn(delta.content) || textIn(delta.refusal);
    this.reply.text(this.#markup ? this.#markup.pass(text) : text, out);
    if (!Array.isArray(delta.tool_calls)) return;
    for (const [position, piece] of (delta.tool_calls as (ToolDelta | null)[]).entries())
      if (piece) this.#toolDelta(piece, position);
  }

  #stopOf(reason: string): StopReason {
    if (cuts.has(reason)) throw fault("UPSTREAM_CUT", this.target, `the upstream gave up: finish reason ${reason}`);
    return stops[reason] ?? "stop";
  }

  #toolDelta(piece: ToolDelta, position: number): void {
    const index = piece.index ?? position;
    const id = textOf(piece.id);
    const name = textOf(piece.function?.name);
    let call = this.#slots.get(index);
    // Some servers number every call 0 and tell them apart by id only.
    if (!call || (id !== "" && call.id !== id && name !== "")) {
      call = this.reply.openCall(id, "");
      this.#slots.set(index, call);
    }
    if (call.name === "") call.name = name;
    const args = piece.function?.arguments;
    if (typeof args === "string") call.arguments += args;
    else if (args) call.arguments += JSON.stringify(args);
    if (piece.extra_content) this.#extras = { ...this.#extras, [call.id]: piece.extra_content };
  }

  protected native(): NativeParts | undefined {
    if (this.#details.length === 0 && !this.#extras) return undefined;
    const parts: ChatParts = {
      by: this.target.id,
      ...(this.#details.length > 0 ? { reasoningDetails: this.#details } : {}),
      ...(this.#extras ? { extras: this.#extras } : {}),
    };
    return { wire: "chat", parts };
  }
}

/** The usage record of OpenAI's API in either of its spellings: chat completions and embeddings, or responses. */
export function chatUsage(usage: unknown): Usage {
  const all = usage as Record<string, unknown>;
  const input = (all.prompt_tokens_details ?? all.input_tokens_details) as Record<string, unknown> | null | undefined;
  const output = (all.completion_tokens_details ?? all.output_tokens_details) as typeof input;
  // DeepSeek tells its cache beside the details.
  const cached = input?.cached_tokens ?? all.prompt_cache_hit_tokens;
  const inputTokens = count(all.prompt_tokens ?? all.input_tokens);
  const completion = count(all.completion_tokens ?? all.output_tokens);
  // xAI counts thoughts beside the completion; the sum tells it.
  const withThoughts = completion + count(output?.reasoning_tokens);
  const isBeside = count(all.total_tokens) >= inputTokens + withThoughts;
  return {
    inputTokens,
    outputTokens: isBeside ? withThoughts : completion,
    ...counted("cachedTokens", cached),
    ...counted("cacheWriteTokens", input?.cache_write_tokens),
    ...counted("reasoningTokens", output?.reasoning_tokens),
  };
}
