/** A key as lists of keys show it: what it has used, what is left, never its hash. */
import type { UsageBook } from "@chela/sdk";
import type { Budgets } from "./budget.ts";
import { identityIdOf, type KeyRecord, stateOf } from "./keyring.ts";
import { periodOf } from "./limits.ts";
import type { KeyRow } from "./methods.ts";
import type { Sources } from "./own-usage.ts";
import { left, type Standing } from "./refusals.ts";

export function keyRow(record: KeyRecord, { rates }: Sources, budgets: Budgets, usage: UsageBook | undefined): KeyRow {
  const { hash: _, scopes, limits, ...facts } = record;
  const now = Date.now();
  const { from, until: resetsAt } = periodOf(limits.period, now);
  const spent = usage?.spent(identityIdOf(record), from) ?? null;
  const standings = usage ? budgets.standings(record, usage) : [];
  const rest = (limit: Standing["limit"]) => {
    const standing = standings.find((one) => one.limit === limit);
    return standing ? left(standing) : null;
  };
  const rpm = limits.rpm === null ? null : rates.facts(record.id, limits.rpm).remaining;
  const remaining = { tokens: rest("tokens"), usd: rest("usd"), rpm };
  return { ...facts, scopes: [...scopes], state: stateOf(record, now), limits, spent, remaining, resetsAt };
}
