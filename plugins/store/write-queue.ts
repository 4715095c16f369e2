/**
 * Everything that writes passes through here, in the order it came: single statements that wait together share one commit,
 * exclusive work (a transaction) runs alone. Nobody is answered before the commit, and one bad statement fails alone.
 */
import type { SqlValue } from "@chela/sdk";
import type { Database, RunResult } from "./database.ts";
import { endsTransaction, isBusy, storeFault } from "./faults.ts";
import { patiently } from "./open.ts";
import { rollback } from "./transaction.ts";

/** Statements that may share one commit. */
const maxGroup = 256;
/** How long the queue may run before other work of the process gets its turn. */
const sliceMs = 4;

interface Write {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** Nobody waits longer for a lock, however many wait before him. */
  readonly giveUpAt: number;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Settles its own promise and never rejects. */
type Exclusive = () => Promise<void>;

export interface WriteQueueOptions {
  readonly database: Database;
  readonly file: string;
  /** For work that is accepted now: how long another process's lock is waited for, on the clock of `performance`. */
  readonly giveUpAt: () => number;
}

export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #jobs: (Write | Exclusive)[] = [];
  #pump: Promise<void> | undefined;
  #exclusive = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#jobs.length;
  }

  /** True while exclusive work runs: even reads have to wait then. */
  get exclusive(): boolean {
    return this.#exclusive;
  }

  run(sql: string, values: readonly SqlValue[]): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ sql, values, giveUpAt: this.#options.giveUpAt(), resolve, reject });
      this.#start();
    });
  }

  /** Runs `work` when nothing else does. Rejects with what it throws. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push(async () => {
        this.#exclusive = true;
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        } finally {
          this.#exclusive = false;
        }
      });
      this.#start();
    });
  }

  /** Resolves when everything that was accepted so far is settled. */
  async idle(): Promise<void> {
    while (this.#pump) await this.#pump;
  }

  /** Work begins at the end of this turn of the event loop: whatever arrives until then shares the commit. */
  #start(): void {
    this.#pump ??= this.#drain().finally(() => {
      this.#pump = undefined;
      if (this.#jobs.length > 0) this.#start();
    });
  }

  async #drain(): Promise<void> {
    await nextTurn();
    let sliceEnds = performance.now() + sliceMs;
    for (;;) {
      const job = this.#jobs[0];
      if (job === undefined) return;
      if (typeof job === "function") {
        this.#jobs.shift();
        await job();
      } else {
        await this.#commit(this.#takeWrites());
      }
      if (performance.now() < sliceEnds) continue;
      await nextTurn();
      sliceEnds = performance.now() + sliceMs;
    }
  }

  #takeWrites(): Write[] {
    let count = 0;
    while (count < maxGroup && count < this.#jobs.length && typeof this.#jobs[count] !== "function") count += 1;
    return this.#jobs.splice(0, count) as Write[];
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const settle = writes.length > 1 ? await this.#commitTogether(writes) : undefined;
    if (settle) {
      for (const done of settle) done();
      return;
    }
    for (const write of writes) await this.#commitAlone(write);
  }

  /** One commit for all. Undefined when that failed as a whole: then each one has to stand for itself. */
  async #commitTogether(writes: readonly Write[]): Promise<(() => void)[] | undefined> {
    const { database, file } = this.#options;
    // As long as the youngest may wait, since one that is refused is refused with all.
    const giveUpAt = (writes.at(-1) as Write).giveUpAt;
    try {
      await patiently(giveUpAt, () => database.exec("BEGIN IMMEDIATE"));
      const settle = writes.map((write) => this.#inGroup(write));
      database.exec("COMMIT");
      return settle;
    } catch (error) {
      rollback(database);
      if (!isBusy(error)) return undefined;
      const fault = storeFault(error, file);
      return writes.map((write) => () => write.reject(fault));
    }
  }

  /** A statement that fails undoes itself alone; an error that ends the transaction is thrown on. */
  #inGroup(write: Write): () => void {
    const { database, file } = this.#options;
    try {
      const result = database.run(write.sql, write.values);
      return () => write.resolve(result);
    } catch (error) {
      if (endsTransaction(error)) throw error;
      return () => write.reject(storeFault(error, file));
    }
  }

  async #commitAlone(write: Write): Promise<void> {
    const { database, file } = this.#options;
    try {
      write.resolve(await patiently(write.giveUpAt, () => database.run(write.sql, write.values)));
    } catch (error) {
      write.reject(storeFault(error, file));
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
