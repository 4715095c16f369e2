/**
 * What calls have used whose upstream did not say how much: their client left, they were cut, or it never says. Estimated,
 * by days of UTC and for this run; without it a budget would have no end for whoever leaves in time.
 */
import type { ModelCallRecord, Usage } from "@chela/sdk";
import type { Amounts } from "./reservations.ts";

const dayMs = 86_400_000;
/** As many as the longest period has. */
const keptDays = 31;
/** Few models say more in a second. */
const tokensPerMs = 0.1;

/** Undefined where the upstream has said it, or had not begun to answer. */
export function estimateOf({ usage, firstTokenMs, ms }: ModelCallRecord, most: Usage): Usage | undefined {
  if (usage !== null || firstTokenMs === null) return undefined;
  return { ...most, outputTokens: Math.min(most.outputTokens, Math.ceil((ms - firstTokenMs) * tokensPerMs)) };
}

export class Unmeasured {
  readonly #days = new Map<string, Map<number, Amounts>>();

  add(id: string, at: number, { tokens, usd }: Amounts): void {
    const days = this.#days.get(id) ?? new Map<number, Amounts>();
    const day = Math.floor(at / dayMs);
    const known = days.get(day);
    days.set(day, { tokens: tokens + (known?.tokens ?? 0), usd: usd + (known?.usd ?? 0) });
    if (days.size > keptDays) days.delete(Math.min(...days.keys()));
    this.#days.set(id, days);
  }

  /** `from` is the beginning of a day. */
  since(id: string, from: number): Amounts {
    const sum = { tokens: 0, usd: 0 };
    for (const [day, { tokens, usd }] of this.#days.get(id) ?? []) {
      if (day * dayMs < from) continue;
      sum.tokens += tokens;
      sum.usd += usd;
    }
    return sum;
  }
}
