/** The answer to who asks what he has used himself. Loaded with the first question. */
import type { Identity } from "@chela/sdk";
import type { KeysContext } from "./index.ts";
import type { KeyRecord } from "./keyring.ts";
import { periodOf, unlimited } from "./limits.ts";
import type { Sources } from "./own-usage.ts";
import type { Rates } from "./rates.ts";
import { left } from "./refusals.ts";

export async function ownUsage(ctx: KeysContext, { store, rates, budgets }: Sources, identity: Identity) {
  const { id, name } = identity;
  const record = store.known(identity);
  const now = Date.now();
  const { period } = record?.limits ?? unlimited;
  const { from: since, until: resetsAt } = periodOf(period, now);
  const { usage } = ctx.use;
  const measured = await Promise.resolve(usage?.ready()).then(
    () => usage,
    () => undefined,
  );
  const budget = record && measured ? (await budgets.open()).standings(record, measured) : [];
  return {
    id,
    name,
    period,
    since,
    resetsAt,
    used: measured?.spent(id, since) ?? null,
    limits: [
      ...(record ? requests(record, rates, now) : []),
      ...budget.map((one) => ({ ...one, per: period, remaining: left(one), resetsAt })),
    ],
  };
}

function requests({ id, limits: { rpm } }: KeyRecord, rates: Rates, now: number) {
  if (rpm === null) return [];
  const { limit: max, remaining, resetMs } = rates.facts(id, rpm);
  const used = max - remaining;
  const resetsAt = Math.ceil(now + resetMs);
  return [{ limit: "requests" as const, per: "minute" as const, max, used, reserved: 0, remaining, resetsAt }];
}

/** As the routes of ClawGo spell it. */
export function spelled({ resetsAt: resets_at, limits, ...own }: Awaited<ReturnType<typeof ownUsage>>) {
  const rows = limits.map(({ resetsAt, ...limit }) => ({ ...limit, resets_at: resetsAt }));
  return { ok: true, ...own, resets_at, limits: rows };
}
