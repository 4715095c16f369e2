/**
 * The budget of wrong credentials per address, one for all transports. A guess is reserved before it is checked, so
 * parallel guesses gain nothing; what does not fit waits for those in flight, so a right burst is never refused.
 * Memory is bounded, and nobody can push out an address that is blocked.
 */

export interface LimiterOptions {
  /** Failures allowed per window; read at each call. */
  readonly max: () => number;
  readonly windowMs: number;
  readonly now: () => number;
  /** Addresses remembered at most. */
  readonly maxEntries?: number;
}

/** One guess in flight. Settle it exactly once; later calls do nothing. */
export interface Reservation {
  fail(): void;
  pass(): void;
}

export interface Refusal {
  /** Whole seconds until the next guess may be made. */
  readonly retryAfter: number;
}

interface Entry {
  /** Failures per slice of the window, the newest at `slice % slices`. */
  readonly failures: Uint16Array;
  slice: number;
  total: number;
  reserved: number;
  readonly waiting: { readonly weight: number; readonly resolve: (answer: Reservation | Refusal) => void }[];
}

const slices = 30;
const maxWaiting = 4096;

export class AuthLimiter {
  readonly #options: LimiterOptions;
  readonly #sliceMs: number;
  readonly #maxEntries: number;
  /** Least recently used first. May be forgotten when room is needed. */
  readonly #open = new Map<string, Entry>();
  /** Out of budget, the longest blocked first. Kept until the block ends. */
  readonly #blocked = new Map<string, Entry>();
  /** Shared by newcomers while the table holds nothing but blocked addresses. */
  readonly #overflow: Entry = newEntry();

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#sliceMs = Math.max(1, options.windowMs / slices);
    this.#maxEntries = Math.max(1, options.maxEntries ?? 10_000);
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#open.size + this.#blocked.size;
  }

  /** `free`: a check that settles at once needs no reservation. `busy`: reserve. Else when to come back. */
  peek(key: string): "free" | "busy" | Refusal {
    if (this.size === 0) return "free";
    const entry = this.#find(key);
    if (entry === undefined) return "free";
    if (entry.total >= this.#options.max()) return this.#refusal(entry);
    return entry.reserved > 0 && entry.total + entry.reserved >= this.#options.max() ? "busy" : "free";
  }

  /** Reserves room for `weight` guesses. A promise means that others in flight must settle first. */
  enter(key: string, weight = 1): Reservation | Refusal | Promise<Reservation | Refusal> {
    const entry = this.#find(key) ?? this.#add(key);
    if (entry.total >= this.#options.max()) return this.#refusal(entry);
    if (entry.total + entry.reserved < this.#options.max()) return this.#reserve(key, entry, weight);
    if (entry.waiting.length >= maxWaiting) return { retryAfter: 1 };
    return new Promise((resolve) => entry.waiting.push({ weight, resolve }));
  }

  #reserve(key: string, entry: Entry, weight: number): Reservation {
    let settled = false;
    const settle = (failures: number) => {
      if (settled) return;
      settled = true;
      entry.reserved -= weight;
      if (failures > 0) this.#count(key, entry, failures);
      this.#wake(key, entry);
    };
    entry.reserved += weight;
    return { fail: () => settle(weight), pass: () => settle(0) };
  }

  #count(key: string, entry: Entry, failures: number): void {
    this.#roll(entry);
    const at = entry.slice % slices;
    entry.failures[at] = Math.min(65_535, (entry.failures[at] as number) + failures);
    entry.total = sum(entry.failures);
    if (entry === this.#overflow || entry.total < this.#options.max()) return;
    this.#open.delete(key);
    this.#blocked.delete(key);
    this.#blocked.set(key, entry);
  }

  #wake(key: string, entry: Entry): void {
    for (let next = entry.waiting[0]; next !== undefined; next = entry.waiting[0]) {
      const isOut = entry.total >= this.#options.max();
      if (!isOut && entry.total + entry.reserved >= this.#options.max()) return;
      entry.waiting.shift();
      next.resolve(isOut ? this.#refusal(entry) : this.#reserve(key, entry, next.weight));
    }
  }

  /** The entry as of now, with what has left the window forgotten. */
  #find(key: string): Entry | undefined {
    const blocked = this.#blocked.get(key);
    if (blocked !== undefined) {
      this.#roll(blocked);
      if (blocked.total >= this.#options.max()) return blocked;
      this.#blocked.delete(key);
      this.#open.set(key, blocked);
      return blocked;
    }
    const entry = this.#open.get(key);
    if (entry === undefined) {
      if (!this.#isFull()) return undefined;
      this.#roll(this.#overflow);
      return this.#overflow;
    }
    this.#roll(entry);
    this.#open.delete(key);
    this.#open.set(key, entry);
    return entry;
  }

  #add(key: string): Entry {
    const entry = newEntry();
    entry.slice = this.#sliceNow();
    if (this.size >= this.#maxEntries) this.#forgetOne();
    this.#open.set(key, entry);
    return entry;
  }

  /** True when no room can be made: every entry is blocked or has guesses in flight. */
  #isFull(): boolean {
    if (this.size < this.#maxEntries) return false;
    this.#release();
    return this.size >= this.#maxEntries && this.#forgettable() === undefined;
  }

  #release(): void {
    for (const [key, entry] of this.#blocked) {
      this.#roll(entry);
      if (entry.total >= this.#options.max()) return;
      this.#blocked.delete(key);
      this.#open.set(key, entry);
    }
  }

  #forgetOne(): void {
    const key = this.#forgettable();
    if (key !== undefined) this.#open.delete(key);
  }

  /** The least recently used entry that nobody waits for. Entries in flight are few: connections bound them. */
  #forgettable(): string | undefined {
    for (const [key, entry] of this.#open) if (entry.reserved === 0) return key;
    return undefined;
  }

  #roll(entry: Entry): void {
    const now = this.#sliceNow();
    const passed = now - entry.slice;
    if (passed === 0) return;
    // A clock that was set back says nothing about the old failures: start anew rather than block for hours.
    if (passed < 0 || passed >= slices) entry.failures.fill(0);
    else for (let slice = entry.slice + 1; slice <= now; slice++) entry.failures[slice % slices] = 0;
    entry.total = sum(entry.failures);
    entry.slice = now;
  }

  #refusal(entry: Entry): Refusal {
    let left = entry.total;
    for (let age = slices - 1; age >= 0; age--) {
      left -= entry.failures[(entry.slice - age + slices) % slices] as number;
      if (left >= this.#options.max()) continue;
      const freeAt = (entry.slice - age + slices) * this.#sliceMs;
      return { retryAfter: Math.max(1, Math.ceil((freeAt - this.#options.now()) / 1000)) };
    }
    return { retryAfter: Math.ceil(this.#options.windowMs / 1000) };
  }

  #sliceNow(): number {
    return Math.floor(this.#options.now() / this.#sliceMs);
  }
}

function newEntry(): Entry {
  return { failures: new Uint16Array(slices), slice: 0, total: 0, reserved: 0, waiting: [] };
}

function sum(counts: Uint16Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
