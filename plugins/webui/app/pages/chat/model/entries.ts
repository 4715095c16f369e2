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

/** What is known of a reply beside what is stored, by the number of its last message. */
export type Known = ReadonlyMap<number, Pick<Reply, "id" | "usage" | "cost">>;

/** An answer and all calls of tools before it are one reply. Entries whose messages are the same stay the same. */
export class EntryMaker {
  #made = new Map<number, { readonly sources: readonly StoredMessage[]; readonly entry: Entry }>();

  make(messages: readonly StoredMessage[], known: Known): readonly Entry[] {
    const made = new Map<number, { readonly sources: readonly StoredMessage[]; readonly entry: Entry }>();
    for (const sources of groups(messages)) {
      const first = sources[0] as StoredMessage;
      const before = this.#made.get(first.seq);
      const same = before !== undefined && isSame(before.sources, sources);
      made.set(first.seq, same ? before : { sources, entry: entryOf(sources, known) });
    }
    this.#made = made;
    return [...made.values()].map(({ entry }) => entry);
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

function entryOf(sources: readonly StoredMessage[], known: Known): Entry {
  const first = sources[0] as StoredMessage;
  if (first.role === "user")
    return { kind: "user", id: `m${first.seq}`, ...taken(first.content), at: first.at, seq: first.seq };
  if (!isPartOfReply(first)) return { kind: "note", id: `m${first.seq}`, text: first.content };
  const last = sources.at(-1) as StoredMessage;
  const answer = sources.findLast(({ role }) => role === "assistant");
  const more = known.get(last.seq);
  const reply: Reply = {
    id: more?.id ?? `m${first.seq}`,
    blocks: blocksOf(sources),
    isRunning: false,
    model: answer?.model,
    usage: more?.usage ?? usageOf(sources),
    cost: more?.cost,
    at: last.at,
    state: answer?.state,
  };
  return { kind: "reply", id: reply.id, reply, first: first.seq, last: last.seq };
}

function usageOf(sources: readonly StoredMessage[]): Reply["usage"] {
  const all = sources.flatMap(({ usage }) => usage ?? []);
  if (all.length === 0) return undefined;
  const sum = (name: "inputTokens" | "outputTokens") => all.reduce((total, usage) => total + usage[name], 0);
  return { inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens") };
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
