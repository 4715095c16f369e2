/**
 * When sessions were last used, for the order of their list. A row may be a few seconds behind its newest message: what it
 * does not say yet is kept here until somebody asks for the order, so that most messages cost no second statement.
 */
import type { Query, Store } from "@chela/sdk";

/** So far a row may be behind, and after a crash it is. */
const lateMs = 10_000;
const mostNotes = 4_000;
/** Told together when there are more: they share a commit. */
const toldAtOnce = 100;

export interface Use {
  readonly log: string;
  readonly at: number;
}

export class LastUse {
  readonly #store: Store;
  /** By session key. */
  readonly #notes = new Map<string, Use>();
  /** On the way to their rows, unless something newer was told since. */
  readonly #telling = new Map<string, Use>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** True when a row that says `said` has to be told. */
  isLate(said: number, at: number): boolean {
    return Math.abs(at - said) > lateMs;
  }

  note(key: string, use: Use): void {
    this.#notes.set(key, use);
    if (this.#notes.size <= mostNotes) return;
    // One that cannot be told now stays behind, as after a crash.
    for (const [oldest, its] of [...this.#notes].slice(0, toldAtOnce))
      void this.tell(this.#store, oldest, its).catch(() => undefined);
  }

  /** The row is told now. A session that has another log meanwhile is another session. */
  async tell(query: Query, key: string, { log, at }: Use): Promise<void> {
    this.forget(key);
    const sql = "UPDATE chat_sessions SET used_at = ? WHERE key = ? AND COALESCE(log, key) = ?";
    await query.run(sql, at, key, log);
  }

  /** After that every row says what is so. */
  async flush(): Promise<void> {
    await Promise.all([...this.#notes].map(([key, use]) => this.#told(key, use)));
  }

  /** Beside a message, which is stored whether its row can be told or not. */
  async tellOrNote(key: string, use: Use): Promise<void> {
    await this.#told(key, use).catch(() => undefined);
  }

  /** What a row does not say yet. */
  noted(key: string): Use | undefined {
    return this.#notes.get(key) ?? this.#telling.get(key);
  }

  /** After a commit that failed: what was noted before it is still to be told. */
  restore(key: string, use: Use | undefined): void {
    this.forget(key);
    if (use) this.note(key, use);
  }

  /** What was to be told is not so any more. */
  forget(key: string): void {
    this.#notes.delete(key);
    this.#telling.delete(key);
  }

  async #told(key: string, use: Use): Promise<void> {
    const told = this.tell(this.#store, key, use);
    this.#telling.set(key, use);
    try {
      await told;
    } catch (error) {
      if (this.#telling.get(key) === use && !this.#notes.has(key)) this.#notes.set(key, use);
      throw error;
    } finally {
      if (this.#telling.get(key) === use) this.#telling.delete(key);
    }
  }
}
