/** Assembles a reply of the Responses API. Its items are kept whole where thoughts are sealed in them, which go back as they came. */
import { type ModelEvent, type NativeParts, objectOf, type StopReason } from "@chela/sdk";
import { bodyFault, fault } from "../../failover/faults.ts";
import { limits } from "../../limits.ts";
import { type OpenCall, parseObject, Reader, textOf } from "../assembly.ts";
import { chatUsage } from "../chat/reply.ts";
import type { ResponsesParts } from "./request.ts";

type Fields = Readonly<Record<string, unknown>>;

const cutShort: Readonly<Record<string, StopReason>> = { content_filter: "content_filter" };

export class ResponsesReader extends Reader {
  /** By place in the output, with the id that the upstream gives them. */
  readonly #calls = new Map<unknown, { readonly id: string; readonly call: OpenCall }>();
  readonly #items = new Map<unknown, Fields>();
  /** Places whose text came in pieces. */
  readonly #told = new Set<unknown>();

  event(name: string | undefined, data: string, out: ModelEvent[]): void {
    if (this.over || data === "" || data.trim() === "[DONE]") return;
    const event = parseObject(data, this.target);
    const at = event.output_index;
    switch (event.type ?? name) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        this.#told.add(at);
        this.reply.text(textOf(event.delta), out);
        break;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        this.#told.add(at);
        this.reply.reasoning(textOf(event.delta), out);
        break;
      case "response.reasoning_summary_part.added":
        if (event.summary_index !== 0) this.reply.reasoning("\n\n", out);
        break;
      case "response.output_item.added":
        this.#call(at, objectOf(event.item));
        break;
      case "response.function_call_arguments.delta":
        this.#arguments(at, textOf(event.delta));
        break;
      case "response.output_item.done":
        this.#item(at, objectOf(event.item), out);
        break;
      default:
        this.#rest(event, name, out);
    }
  }

  whole(text: string, out: ModelEvent[]): void {
    const response = parseObject(text.trim(), this.target);
    this.#end(response, out);
  }

  /** How it ended; everything else is only of interest to those who watch. */
  #rest(event: Fields, name: string | undefined, out: ModelEvent[]): void {
    const type = event.type ?? name;
    if (type === "error" || event.error) throw bodyFault(this.target, event.error ?? event);
    if (type === "response.completed" || type === "response.incomplete" || type === "response.failed") {
      this.#end(objectOf(event.response), out);
      this.over = true;
    }
  }

  #end(response: Fields, out: ModelEvent[]): void {
    if (response.error) throw bodyFault(this.target, response.error);
    if (response.status === "failed" || response.status === "cancelled")
      throw fault("UPSTREAM_CUT", this.target, `the upstream gave up: status ${response.status}`);
    const output = Array.isArray(response.output) ? (response.output as unknown[]) : [];
    for (const [at, item] of output.entries()) if (!this.#items.has(at)) this.#item(at, objectOf(item), out);
    if (response.usage) this.reply.usage = chatUsage(response.usage);
    if (response.status === "incomplete")
      this.reply.stop = cutShort[textOf(objectOf(response.incomplete_details).reason)] ?? "length";
    else if (response.status === undefined || response.status === "completed") this.reply.stop = "stop";
  }

  #call(at: unknown, item: Fields): OpenCall | undefined {
    if (item.type !== "function_call") return undefined;
    const id = textOf(item.call_id);
    const known = this.#calls.get(at);
    // Some servers have one place for all.
    if (known && (id === "" || known.id === id)) return known.call;
    const call = this.reply.openCall(id, textOf(item.name));
    this.#calls.set(at, { id, call });
    return call;
  }

  #arguments(at: unknown, piece: string): void {
    const known = this.#calls.get(at);
    if (known) known.call.arguments += piece;
  }

  /** An item that is whole: what came in pieces is known already. */
  #item(at: unknown, item: Fields, out: ModelEvent[]): void {
    if (this.#items.size >= limits.blocks)
      throw fault("UPSTREAM_PROTOCOL", this.target, `more than ${limits.blocks} items in one reply`);
    this.#items.set(at, item);
    const call = this.#call(at, item);
    if (call && typeof item.arguments === "string") call.arguments = item.arguments;
    if (this.#told.has(at)) return;
    if (item.type === "message") this.reply.text(texts(item.content, ["text", "refusal"]), out);
    else if (item.type === "reasoning")
      this.reply.reasoning(texts(item.summary, ["text"]) || texts(item.content, ["text"]), out);
  }

  /** Thoughts that are not sealed are unknown to an upstream that has stored nothing. */
  protected native(): NativeParts | undefined {
    const items = [...this.#items.values()];
    const thoughts = items.filter(({ type }) => type === "reasoning");
    if (thoughts.length === 0 || thoughts.some((item) => typeof item.encrypted_content !== "string")) return undefined;
    const parts: ResponsesParts = { by: this.target.id, items };
    return { wire: "responses", parts };
  }
}

function texts(list: unknown, keys: readonly string[]): string {
  const parts = Array.isArray(list) ? (list as unknown[]) : [];
  return parts.map((part) => keys.map((key) => textOf(objectOf(part)[key])).join("")).join("");
}
