/**
 * What an identity has used lately, in memory: by minute for two hours, by hour for 32 days. Filled from the database
 * after the start and kept up with every call, so a budget is judged without asking anybody.
 */
import { hourMs } from "./tables.ts";

const minuteMs = 60_000;
const keptMinutes = 120;
const keptHours = 32 * 24 + 1;

interface Used {
  tokens: number;
  cost: number;
  calls: number;
}

interface Account {
  readonly minutes: Map<number, Used>;
  readonly hours: Map<number, Used>;
}

export class Ledger {
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  /** Minutes before this one are not known one by one. */
  readonly #begun: number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#begun = this.#minute();
  }

  add(identity: string, at: number, used: Readonly<Used>): void {
    const account = this.#account(identity);
    addAt(account.hours, Math.floor(at / hourMs), used, keptHours);
    addAt(account.minutes, Math.floor(at / minuteMs), used, keptMinutes);
  }

  /** What the database knows of an hour that is over; how it spread over the minutes is not known. */
  restore(identity: string, hour: number, used: Readonly<Used>): void {
    addAt(this.#account(identity).hours, hour, used, keptHours);
  }

  /**
   * The minute or hour in which `since` lies counts whole, and so does what a clock that went ahead by less than an hour has
   * noted: a budget is never judged too generously. What is noted for later days was noted by a clock that was set back since.
   */
  spent(identity: string, since: number): Used {
    const account = this.#accounts.get(identity);
    const sum = { tokens: 0, cost: 0, calls: 0 };
    if (!account) return sum;
    const byMinute = Math.floor(since / minuteMs) >= Math.max(this.#begun, this.#minute() - keptMinutes + 1);
    const [buckets, width] = byMinute ? [account.minutes, minuteMs] : [account.hours, hourMs];
    const from = Math.floor(since / width);
    const to = Math.floor((this.#now() + hourMs) / width);
    for (const [start, used] of buckets) if (start >= from && start <= to) join(sum, used);
    return sum;
  }

  /** Forgets who has not been seen for 32 days. */
  purge(): void {
    const oldest = Math.floor(this.#now() / hourMs) - keptHours;
    for (const [identity, { hours }] of this.#accounts) {
      if (Math.max(...hours.keys()) < oldest) this.#accounts.delete(identity);
    }
  }

  #minute(): number {
    return Math.floor(this.#now() / minuteMs);
  }

  #account(identity: string): Account {
    const known = this.#accounts.get(identity);
    if (known) return known;
    const account = { minutes: new Map<number, Used>(), hours: new Map<number, Used>() };
    this.#accounts.set(identity, account);
    return account;
  }
}

/** Oldest first, as far as clocks go forward; the oldest leaves when there are too many. */
function addAt(buckets: Map<number, Used>, start: number, used: Readonly<Used>, kept: number): void {
  const known = buckets.get(start);
  if (known) join(known, used);
  else buckets.set(start, { ...used });
  if (buckets.size > kept) buckets.delete(Math.min(...buckets.keys()));
}

function join(sum: Used, used: Readonly<Used>): void {
  sum.tokens += used.tokens;
  sum.cost += used.cost;
  sum.calls += used.calls;
}
