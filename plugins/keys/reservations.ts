/**
 * What the calls of each key that run now may still use. One that ends gives its part back; one whose end is never told
 * does so after a while, by a clock that never jumps.
 */
import type { ModelCaller, Usage } from "@chela/sdk";

/** Longer than a call takes by default, with all its fallbacks. */
const heldMs = 15 * 60_000;

export interface Amounts {
  readonly tokens: number;
  readonly usd: number;
}

export interface Claim extends Amounts {
  /** What its amounts were made of. */
  readonly most: Usage;
}

interface Held extends Claim {
  /** Tells calls apart: it is the same object before and after. Weak, for it has the whole request, and an end may never be told. */
  readonly caller: WeakRef<ModelCaller>;
  readonly at: number;
}

export class Reservations {
  readonly #now: () => number;
  /** By id of the identity, each list in the order of beginning. */
  readonly #held = new Map<string, Held[]>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Keys with calls that run. */
  get size(): number {
    return this.#held.size;
  }

  add(id: string, caller: ModelCaller, claim: Claim): void {
    const held = { ...claim, caller: new WeakRef(caller), at: this.#now() };
    const list = this.#held.get(id);
    if (list) list.push(held);
    else this.#held.set(id, [held]);
  }

  /** What was reserved; undefined: nothing was. */
  settle(id: string, caller: ModelCaller): Claim | undefined {
    const list = this.#held.get(id);
    const index = list?.findIndex((held) => held.caller.deref() === caller) ?? -1;
    if (!list || index < 0) return undefined;
    const [settled] = list.splice(index, 1);
    if (list.length === 0) this.#held.delete(id);
    return settled;
  }

  sums(id: string): Amounts {
    const list = this.#held.get(id);
    const sums = { tokens: 0, usd: 0 };
    if (!list) return sums;
    const oldest = this.#now() - heldMs;
    while (list[0] && list[0].at < oldest) list.shift();
    if (list.length === 0) this.#held.delete(id);
    for (const { tokens, usd } of list) {
      sums.tokens += tokens;
      sums.usd += usd;
    }
    return sums;
  }
}
