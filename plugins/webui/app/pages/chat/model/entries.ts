/** What a conversation shows, one below the other: made of stored messages, of what was sent, of what runs. */

import type { Attachment } from "./attachment.ts";
import { taken } from "./attachment.ts";
import type { Block, Reply, ToolCall } from "./blocks.ts";
import type { Outgoing } from "./outbox.ts";
import type { StoredMessage } from "./wire.ts";

export interface UserEntry {
  readonly kind: "user";
  readonly id: string;
  readonly text: string;
  readonly files: readonly Attachment[];
  readonly at: string;
  /** Undefined: not stored yet. */
  readonly seq?: number | undefined;
  /** While it is not stored, or where that failed. */
  readonly outgoing?: Outgoing | undefined;
}

export interface ReplyEntry {
  readonly kind: "reply";
  readonly id: string;
  readonly reply: Reply;
  /** Of its first and its last message; undefined while it runs. */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
}

export interface NoteEntry {
  readonly kind: "note";
  readonly id: string;
  readonly text: string;
}

export type Entry = UserEntry | ReplyEntry | NoteEntry;

/** How entries were called before they were stored, by the number of their last message. */
export type Known = ReadonlyMap<number, string>;

/**
 * An answer and all calls of tools before it are one reply. Entries whose messages are the same stay the same; one that grows,
 * at whatever end, keeps its id.
 */
export class EntryMaker {
  readonly #ids = new WeakMap<StoredMessage, string>();
  #made = new Map<number, { readonly sources: readonly StoredMessage[]; readonly entry: Entry }>();

  make(messages: readonly StoredMessage[], known: Known): readonly Entry[] {
    const made = new Map<number, { readonly sources: readonly StoredMessage[]; readonly entry: Entry }>();
    for (const sources of groups(messages)) {
      const first = sources[0] as StoredMessage;
      const before = this.#made.get(first.seq);
      const same = before !== undefined && isSame(before.sources, sources);
      made.set(first.seq, same ? before : { sources, entry: entryOf(sources, this.#idOf(sources, known)) });
    }
    this.#made = made;
    return [...made.values()].map(({ entry }) => entry);
  }

  #idOf(sources: readonly StoredMessage[], known: Known): string {
    const first = sources[0] as StoredMessage;
    const last = sources.at(-1) as StoredMessage;
    const met = sources.find((message) => this.#ids.has(message));
    const id = known.get(last.seq) ?? (met && this.#ids.get(met)) ?? `m${first.seq}`;
    for (const message of sources) this.#ids.set(message, id);
    return id;
  }
}

function groups(messages: readonly StoredMessage[]): StoredMessage[][] {
  const found: StoredMessage[][] = [];
  for (const message of messages) {
    const open = found.at(-1);
    if (isPartOfReply(message) && open !== undefined && goesOn(open)) open.push(message);
    else found.push([message]);
  }
  return found;
}

/** A reply ends with an answer that asks for no tool. */
function goesOn(reply: readonly StoredMessage[]): boolean {
  const last = reply.at(-1);
  return last?.role === "tool" || (last?.role === "assistant" && (last.tool_calls?.length ?? 0) > 0);
}

function isPartOfReply({ role }: StoredMessage): boolean {
  return role === "assistant" || role === "tool";
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

function entryOf(sources: readonly StoredMessage[], id: string): Entry {
  const first = sources[0] as StoredMessage;
  if (first.role === "user") return { kind: "user", id, ...taken(first.content), at: first.at, seq: first.seq };
  if (!isPartOfReply(first)) return { kind: "note", id, text: first.content };
  const last = sources.at(-1) as StoredMessage;
  const answer = sources.findLast(({ role }) => role === "assistant");
  const reply: Reply = {
    id,
    blocks: blocksOf(sources),
    isRunning: false,
    model: answer?.model,
    usage: usageOf(sources),
    cost: costOf(sources),
    at: last.at,
    state: answer?.state,
  };
  return { kind: "reply", id, reply, first: first.seq, last: last.seq };
}

function usageOf(sources: readonly StoredMessage[]): Reply["usage"] {
  const all = sources.flatMap(({ usage }) => usage ?? []);
  if (all.length === 0) return undefined;
  const sum = (name: "inputTokens" | "outputTokens") => all.reduce((total, usage) => total + usage[name], 0);
  return { inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") };
}

/** Undefined as soon as the price of one of its calls is not known. */
function costOf(sources: readonly StoredMessage[]): number | undefined {
  const asked = sources.filter(({ usage }) => usage !== undefined);
  if (asked.length === 0 || asked.some(({ cost }) => cost === undefined)) return undefined;
  return asked.reduce((sum, { cost = 0 }) => sum + cost, 0);
}

function blocksOf(sources: readonly StoredMessage[]): Block[] {
  const results = new Map(
    sources.flatMap((message) => (message.role === "tool" ? [[message.tool_call_id, message]] : [])),
  );
  return sources
    .filter(({ role }) => role === "assistant")
    .flatMap(({ content, reasoning = "", tool_calls = [] }) => [
      ...(reasoning.trim() === "" ? [] : [{ type: "reasoning" as const, text: reasoning }]),
      ...(content.trim() === "" ? [] : [{ type: "text" as const, text: content }]),
      ...tool_calls.map((call) => ({ type: "tool" as const, call: storedCall(call, results.get(call.id)) })),
    ]);
}

function storedCall(
  call: NonNullable<StoredMessage["tool_calls"]>[number],
  result: StoredMessage | undefined,
): ToolCall {
  const { name, arguments: input } = call.function;
  if (result === undefined) return { id: call.id, name, input, state: "run" };
  return { id: call.id, name, input, output: result.content, state: result.state === "failed" ? "failed" : "ok" };
}
