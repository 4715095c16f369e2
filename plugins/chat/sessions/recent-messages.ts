/**
 * The newest messages of sessions that are in use, so that a turn need not read again what the turns before it wrote.
 * Invariant: an entry holds all messages of its session from `floor` (exclusive) to `last`, as the store would give them. It
 * comes from a read that nothing was written beside, or from the first write of a session; it grows by what is stored right
 * behind it, and anything else that happens to the session drops it. Bounded by bytes.
 */
import { type DatedMessage, type SequencedMessage, shown } from "./tables.ts";

/** Of all entries together, as far as that can be told. */
const usualBytes = 4 * 1024 * 1024;
/** What one session may have of it. */
const shareOfOne = 1 / 8;
const bytesPerEntry = 400;
const bytesPerMessage = 160;

interface Entry {
  floor: number;
  last: number;
  bytes: number;
  messages: SequencedMessage[];
}

export interface Window {
  readonly limit: number;
  /** Exclusive. */
  readonly after: number;
}

export class RecentMessages {
  readonly #most: number;
  /** By session key, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Reads that go on: of each key the one that began last, unless something was written since. */
  readonly #reads = new Map<string, object>();
  #bytes = 0;
  #on = false;

  constructor(mostBytes = usualBytes) {
    this.#most = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From now on, until `signal` aborts, nobody but the owner of this writes messages. Before and after nothing is kept. */
  begin(signal: AbortSignal): void {
    this.#on = !signal.aborted;
    signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** The newest messages after `after`, oldest first; what is not here comes from `read`. */
  async get(key: string, window: Window, read: () => Promise<SequencedMessage[]>): Promise<SequencedMessage[]> {
    const known = this.#find(key, window);
    if (known || !this.#on) return known ?? read();
    const mine = {};
    this.#reads.set(key, mine);
    try {
      const messages = await read();
      const entry = this.#reads.get(key) === mine ? entryOf(messages) : undefined;
      // A larger one would be cut at once, and read again with the next turn.
      if (entry && entry.bytes <= this.#most * shareOfOne) this.#put(key, entry);
      return messages;
    } finally {
      if (this.#reads.get(key) === mine) this.#reads.delete(key);
    }
  }

  /** These are stored now, and `last` is the number of the last one. */
  stored(key: string, messages: readonly DatedMessage[], last: number): void {
    const entry = this.#entries.get(key);
    const before = last - messages.length;
    this.forget(key);
    if (!this.#on || messages.length === 0 || (entry ? entry.last !== before : before !== 0)) return;
    const grown = entry ?? { floor: 0, last: 0, bytes: bytesPerEntry, messages: [] };
    for (const message of messages) add(grown, shown(message, grown.last + 1));
    while (grown.bytes > this.#most * shareOfOne) {
      grown.bytes -= sizeOf(grown.messages.shift() as SequencedMessage);
      grown.floor += 1;
    }
    this.#put(key, grown);
  }

  /** Whatever was known of this key may not be true any more. */
  forget(key: string): void {
    this.#reads.delete(key);
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  #end(): void {
    this.#on = false;
    this.#bytes = 0;
    this.#entries.clear();
    this.#reads.clear();
  }

  #find(key: string, { limit, after }: Window): SequencedMessage[] | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const above = Math.max(after, entry.last - limit);
    if (above < entry.floor) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.messages.slice(above - entry.floor);
  }

  #put(key: string, entry: Entry): void {
    this.forget(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most) break;
      this.forget(oldest);
    }
  }
}

/** Undefined where there are none, or not all of a stretch. */
function entryOf(messages: readonly SequencedMessage[]): Entry | undefined {
  const [first] = messages;
  if (!first || messages.some(({ seq }, index) => seq !== first.seq + index)) return undefined;
  const entry: Entry = { floor: first.seq - 1, last: first.seq - 1, bytes: bytesPerEntry, messages: [] };
  for (const message of messages) add(entry, shown(message, message.seq));
  return entry;
}

function add(entry: Entry, message: SequencedMessage): void {
  entry.last = message.seq;
  entry.messages.push(message);
  entry.bytes += sizeOf(message);
}

function sizeOf({ content, toolCalls }: SequencedMessage): number {
  const chars = typeof content === "string" ? content.length : JSON.stringify(content).length;
  return bytesPerMessage + 2 * (chars + (toolCalls ? JSON.stringify(toolCalls).length : 0));
}
