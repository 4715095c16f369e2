/**
 * What was sent and is not answered yet. Each message has a key of its own, so that it may be sent again after a break of the
 * connection or of the page without being said twice. Lives as long as the tab.
 */
import { rememberedHere, rememberHere } from "../../../client/storage.ts";
import type { Attachment } from "./attachment.ts";
import type { Frame } from "./wire.ts";

export interface Outgoing {
  /** The idempotency key. */
  readonly key: string;
  readonly session: string;
  readonly text: string;
  readonly media: readonly Attachment[];
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
  readonly whenBusy?: "queue" | "steer" | undefined;
  readonly at: string;
  /** Its number in the session, once it is stored. */
  readonly seq?: number | undefined;
  /** The turn that answers it. */
  readonly turn?: string | undefined;
  /** Why it was not sent. */
  readonly error?: string | undefined;
}

const name = "chat.outbox";
const most = 50;

export class Outbox extends EventTarget {
  #items: readonly Outgoing[] = restored();

  get items(): readonly Outgoing[] {
    return this.#items;
  }

  of(session: string): readonly Outgoing[] {
    return this.#items.filter((item) => item.session === session);
  }

  /** Those that have to be sent again on a fresh connection. */
  get open(): readonly Outgoing[] {
    return this.#items.filter(({ error }) => error === undefined);
  }

  add(message: Omit<Outgoing, "key" | "at">): Outgoing {
    const item = { ...message, key: newKey(), at: new Date().toISOString() };
    this.#set([...this.#items, item].slice(-most));
    return item;
  }

  drop(key: string | undefined): void {
    this.#set(this.#items.filter((item) => item.key !== key));
  }

  change(key: string, change: Partial<Outgoing>): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...item, ...change } : item)));
  }

  find(key: string | undefined): Outgoing | undefined {
    return this.#items.find((item) => item.key === key);
  }

  /** A frame that tells how a message of ours fares, in whatever session. */
  follow(frame: Frame): void {
    const item = this.find(frame.idempotencyKey);
    if (item === undefined) return;
    if (frame.type === "chat_start") this.change(item.key, { turn: frame.turn, seq: frame.seq });
    else if (frame.type === "chat_done" && frame.stop === "aborted" && item.turn === undefined)
      this.change(item.key, { error: "" });
    else if (frame.type === "chat_done") this.drop(item.key);
    else if (frame.type === "chat_error" && item.turn === undefined)
      this.change(item.key, { error: frame.error ?? "" });
    else if (frame.type === "chat_error") this.drop(item.key);
  }

  #set(items: readonly Outgoing[]): void {
    this.#items = items;
    rememberHere(name, items.length === 0 ? undefined : JSON.stringify(items));
    this.dispatchEvent(new Event("change"));
  }
}

/** `crypto.randomUUID` is there on secure pages only. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
}

function restored(): readonly Outgoing[] {
  try {
    return JSON.parse(rememberedHere(name) ?? "[]") as readonly Outgoing[];
  } catch {
    return [];
  }
}
