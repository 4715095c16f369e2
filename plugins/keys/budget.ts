/**
 * Whether a key has something left of its budget, asked before every model call. What calls that run may still use counts
 * as used; a call that is the only one may use up what is left, however much it asks for.
 */
import type { GatewayError, ModelCaller, ModelCallRecord, UsageBook } from "@chela/sdk";
import { boundOf } from "./bound.ts";
import { identityIdOf } from "./keyring.ts";
import { type KeyLimits, periodOf } from "./limits.ts";
import { type Budgeted, budgetReserved, budgetSpent, budgetUnknown, left, type Standing } from "./refusals.ts";
import { type Claim, Reservations } from "./reservations.ts";
import { estimateOf, Unmeasured } from "./unmeasured.ts";

export interface Asking {
  readonly caller: ModelCaller;
  /** `provider/model`. */
  readonly model: string;
  /** Undefined: nobody can measure. */
  readonly book: UsageBook | undefined;
}

export class Budgets {
  readonly #now: () => number;
  readonly #reservations = new Reservations();
  readonly #unmeasured = new Unmeasured();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A refusal, or undefined: then what the call may use is reserved until its end. A budget that nobody can measure is used up. */
  begin(key: Budgeted, { caller, model, book }: Asking): GatewayError | undefined {
    if (!book) return budgetUnknown(key);
    const standings = this.standings(key, book);
    const over = standings.find(({ used, max }) => used >= max);
    if (over) return budgetSpent(key, over, this.#now());
    const claim = claimOf(key.limits, { caller, model, book });
    const taken = standings.find((one) => one.reserved > 0 && left(one) < claim[one.limit]);
    if (taken) return budgetReserved(key, taken, this.#now());
    if (claim.tokens > 0 || claim.usd > 0) this.#reservations.add(identityIdOf(key), caller, claim);
    return undefined;
  }

  end(record: ModelCallRecord, book: UsageBook | undefined): void {
    const { identity, caller, at, model } = record;
    if (!identity) return;
    const claim = this.#reservations.settle(identity.id, caller);
    const used = claim && estimateOf(record, claim.most);
    if (!used) return;
    const usd = book?.cost(model, used) ?? 0;
    this.#unmeasured.add(identity.id, at, { tokens: used.inputTokens + used.outputTokens, usd });
  }

  /** Of each limit that the key has. */
  standings(key: Budgeted, book: UsageBook): readonly Standing[] {
    const { limits } = key;
    const id = identityIdOf(key);
    const { from } = periodOf(limits.period, this.#now());
    const spent = book.spent(id, from);
    const unmeasured = this.#unmeasured.since(id, from);
    const used = { tokens: spent.tokens + unmeasured.tokens, usd: spent.cost + unmeasured.usd };
    const reserved = this.#reservations.sums(id);
    return (["tokens", "usd"] as const).flatMap((limit) => {
      const max = limits[limit];
      return max === null ? [] : [{ limit, max, used: used[limit], reserved: reserved[limit] }];
    });
  }
}

function claimOf({ tokens, usd }: KeyLimits, { caller, model, book }: Asking & { readonly book: UsageBook }): Claim {
  const most = boundOf(caller);
  return {
    most,
    tokens: tokens === null ? 0 : most.inputTokens + most.outputTokens,
    usd: usd === null ? 0 : (book.cost(model, most) ?? 0),
  };
}
