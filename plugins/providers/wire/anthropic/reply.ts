/** Assembles a reply of the Messages API. Its blocks are kept whole beside the text, since their signatures go back with them. */
import { type ModelEvent, type NativeParts, objectOf, type StopReason } from "@chela/sdk";
import { bodyFault, fault } from "../../failover/faults.ts";
import { limits } from "../../limits.ts";
import { count, counted, type OpenCall, parseObject, Reader, textOf } from "../assembly.ts";
import type { AnthropicParts, Block } from "./conversation.ts";

type Fields = Readonly<Record<string, unknown>>;

const stops: Readonly<Record<string, StopReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  // The vendor's own tools were not done: there would be more.
  pause_turn: "length",
  refusal: "content_filter",
};

/** Blocks that the conversation can be told without. */
const plainBlocks: ReadonlySet<unknown> = new Set(["text", "tool_use"]);

interface OpenBlock {
  readonly block: Block;
  readonly call: OpenCall | undefined;
}

export class AnthropicReader extends Reader {
  readonly #blocks = new Map<number, OpenBlock>();
  #spent: Fields = {};

  event(name: string | undefined, data: string, out: ModelEvent[]): void {
    if (this.over || data === "") return;
    const event = parseObject(data, this.target);
    switch (event.type ?? name) {
      case "message_start":
        this.#message(objectOf(event.message), out);
        break;
      case "content_block_start":
        this.#open(count(event.index), objectOf(event.content_block), out);
        break;
      case "content_block_delta":
        this.#delta(count(event.index), objectOf(event.delta), out);
        break;
      case "message_delta":
        this.#usage(event.usage);
        this.#stop(objectOf(event.delta).stop_reason);
        break;
      case "message_stop":
        this.over = true;
        return;
      case "error":
        throw bodyFault(this.target, event.error ?? event);
      default:
      // Pings, ends of blocks, and what will be added one day.
    }
  }

  whole(text: string, out: ModelEvent[]): void {
    const message = parseObject(text.trim(), this.target);
    if (message.error) throw bodyFault(this.target, message.error);
    this.#message(message, out);
  }

  override finish(out: ModelEvent[]): void {
    // What came in pieces comes before what a call began with.
    for (const { block, call } of this.#blocks.values())
      if (call?.arguments === "") call.arguments = JSON.stringify(objectOf(block.input));
    super.finish(out);
  }

  protected native(): NativeParts | undefined {
    const blocks = [...this.#blocks.values()].map(({ block, call }) =>
      call ? { ...block, input: inputOf(call) } : block,
    );
    const parts: AnthropicParts = { by: this.target.id, blocks: blocks.filter(keepable) };
    const special = blocks.some(({ type }) => !plainBlocks.has(type));
    return special ? { wire: "anthropic", parts } : undefined;
  }

  /** The beginning of a streamed message, or a whole one. */
  #message(message: Fields, out: ModelEvent[]): void {
    this.#usage(message.usage);
    const content = Array.isArray(message.content) ? (message.content as unknown[]) : [];
    for (const [index, block] of content.entries()) this.#open(index, objectOf(block), out);
    this.#stop(message.stop_reason);
  }

  #open(index: number, block: Fields, out: ModelEvent[]): void {
    if (this.#blocks.size >= limits.blocks)
      throw fault("UPSTREAM_PROTOCOL", this.target, `more than ${limits.blocks} blocks in one reply`);
    const call = block.type === "tool_use" ? this.reply.openCall(textOf(block.id), textOf(block.name)) : undefined;
    this.#blocks.set(index, { block: { ...block }, call });
    if (block.type === "text") this.reply.text(textOf(block.text), out);
    else if (block.type === "thinking") this.reply.reasoning(textOf(block.thinking), out);
  }

  #delta(index: number, delta: Fields, out: ModelEvent[]): void {
    const open = this.#blocks.get(index);
    if (!open) return;
    const { block, call } = open;
    switch (delta.type) {
      case "text_delta":
        append(block, "text", delta.text);
        this.reply.text(textOf(delta.text), out);
        break;
      case "thinking_delta":
        append(block, "thinking", delta.thinking);
        this.reply.reasoning(textOf(delta.thinking), out);
        break;
      case "signature_delta":
        append(block, "signature", delta.signature);
        break;
      case "input_json_delta":
        if (call) call.arguments += textOf(delta.partial_json);
        return;
      default:
      // Citations and what will be added one day.
    }
  }

  #stop(reason: unknown): void {
    if (typeof reason === "string") this.reply.stop = stops[reason] ?? "stop";
  }

  /** What comes later replaces what came before, field by field. */
  #usage(usage: unknown): void {
    if (typeof usage !== "object" || usage === null) return;
    const told = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.#spent = { ...this.#spent, ...Object.fromEntries(told) };
    const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written } = this.#spent;
    this.reply.usage = {
      inputTokens: count(input) + count(read) + count(written),
      outputTokens: count(this.#spent.output_tokens),
      ...counted("cachedTokens", read),
      ...counted("cacheWriteTokens", written),
      ...counted("reasoningTokens", objectOf(this.#spent.output_tokens_details).thinking_tokens),
    };
  }
}

function append(block: Block, key: string, piece: unknown): void {
  block[key] = textOf(block[key]) + textOf(piece);
}

/** An empty text is refused when it comes back. */
function keepable({ type, text }: Block): boolean {
  return type !== "text" || textOf(text).trim() !== "";
}

function inputOf(call: OpenCall): unknown {
  try {
    return JSON.parse(call.arguments || "{}");
  } catch {
    return { input: call.arguments };
  }
}
