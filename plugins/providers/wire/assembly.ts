/**
 * What all wires do alike with a reply: collect its text, thoughts and tool calls, and make the final ModelReply of them.
 * A reply counts as complete only when the upstream said why it stopped; anything else is `UPSTREAM_CUT`, never `stop`.
 */
import type { ModelEvent, ModelReply, StopReason, Usage } from "@chela/sdk";
import { fault } from "../failover/faults.ts";
import { limits } from "../limits.ts";
import type { ReplyReader, Target } from "./dialect.ts";

/** A call whose arguments may still be arriving. */
export interface OpenCall {
  id: string;
  name: string;
  arguments: string;
}

export class Assembly {
  readonly #target: Target;
  readonly calls: OpenCall[] = [];
  #text = "";
  #reasoning = "";
  usage: Usage | null = null;
  stop: StopReason | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  text(piece: string, out: ModelEvent[]): void {
    if (piece === "") return;
    this.#text += piece;
    out.push({ type: "text", text: piece });
  }

  reasoning(piece: string, out: ModelEvent[]): void {
    if (piece === "") return;
    this.#reasoning += piece;
    out.push({ type: "reasoning", text: piece });
  }

  /** `id` is made up where the upstream gives none, or one that another call has. */
  openCall(id: string | null | undefined, name: string): OpenCall {
    if (this.calls.length >= limits.toolCalls)
      throw fault("UPSTREAM_PROTOCOL", this.#target, `more than ${limits.toolCalls} tool calls in one reply`);
    const isOwn = id && !this.calls.some((call) => call.id === id);
    const call = { id: isOwn ? id : madeUpId(), name, arguments: "" };
    this.calls.push(call);
    return call;
  }

  /** The calls as events, then the reply. `native`: what the same model wants back with this message. */
  finish(out: ModelEvent[], native?: ModelReply["native"]): void {
    if (this.stop === undefined) {
      throw fault("UPSTREAM_CUT", this.#target, "the stream ended without a finish reason: the reply is incomplete");
    }
    const toolCalls = this.calls.map((call) => ({ ...call, arguments: call.arguments || "{}" }));
    for (const call of toolCalls) out.push({ type: "tool", call });
    const reply: ModelReply = {
      provider: this.#target.provider,
      model: this.#target.id,
      text: this.#text,
      ...(this.#reasoning ? { reasoning: this.#reasoning } : {}),
      toolCalls,
      usage: this.usage,
      stop: toolCalls.length > 0 && this.stop === "stop" ? "tool_calls" : this.stop,
      ...(native === undefined ? {} : { native }),
    };
    out.push({ type: "done", reply });
  }
}

/** What the readers of all wires have: whom they read, the reply as far as it is there, and whether more is to come. */
export abstract class Reader implements ReplyReader {
  protected readonly target: Target;
  protected readonly reply: Assembly;
  /** The upstream has said its last word. */
  protected over = false;

  constructor(target: Target) {
    this.target = target;
    this.reply = new Assembly(target);
  }

  get done(): boolean {
    return this.over;
  }

  get complete(): boolean {
    return this.reply.stop !== undefined;
  }

  abstract event(name: string | undefined, data: string, out: ModelEvent[]): void;

  abstract whole(text: string, out: ModelEvent[]): void;

  finish(out: ModelEvent[]): void {
    this.reply.finish(out, this.native());
  }

  /** What the same model wants back with this reply. */
  protected abstract native(): ModelReply["native"];
}

/** One that no other reply of the conversation has. */
function madeUpId(): string {
  return `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
}

/** The object that a piece of JSON is; anything else is a fault, told with a piece of the text. */
export function parseObject(data: string, target: Target): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw fault("UPSTREAM_PROTOCOL", target, `the reply is not valid JSON: ${JSON.stringify(data.slice(0, 120))}`);
}

/** A number of tokens; 0 for what is none. */
export function count(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** A field of a usage record, when there is one. */
export function counted<K extends string>(name: K, value: unknown): { readonly [P in K]?: number } {
  return (value === undefined || value === null ? {} : { [name]: count(value) }) as { [P in K]?: number };
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
