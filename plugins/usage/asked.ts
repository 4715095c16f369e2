/** What a question about usage means, and its answer. Loaded with the first one. */
import { GatewayError, type UsageBook, type UsageQuery, type UsageTotals } from "@chela/sdk";
import { kinds } from "./kinds.ts";

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const defaultSince = "7d";

interface Asked {
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly model?: string;
  readonly key?: string;
  readonly identity?: string;
  readonly session?: string;
  readonly limit?: number;
}

export async function ask(book: UsageBook, asked: Asked) {
  const now = Date.now();
  const by = kindOf(asked.by ?? "day");
  const range = {
    since: moment(asked.since ?? defaultSince, now),
    until: asked.until ? moment(asked.until, now) : now + 1,
  };
  const { model, session, limit } = asked;
  const identity = asked.identity ?? (asked.key === undefined ? undefined : identityOf(asked.key));
  const query: UsageQuery = { ...range, by, model, session, identity, limit };
  const rows = await book.totals(query);
  // All rows of one name: what a limit cut off is in the total.
  const total = merged(await book.totals({ ...query, by: "purpose", limit: 1_000 }));
  return { by, ...range, total, rows };
}

function merged(rows: readonly UsageTotals[]): UsageTotals {
  const sum = (name: Exclude<keyof UsageTotals, "cost">) => rows.reduce((all, row) => all + row[name], 0);
  const priced = rows.filter((row) => row.cost !== null);
  return {
    calls: sum("calls"),
    failed: sum("failed"),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    cachedTokens: sum("cachedTokens"),
    cost: priced.length === 0 ? null : priced.reduce((all, row) => all + (row.cost ?? 0), 0),
    unpriced: sum("unpriced"),
  };
}

export function spelled({ calls, failed, inputTokens, outputTokens, cachedTokens, cost, unpriced }: UsageTotals) {
  const tokens = { input_tokens: inputTokens, output_tokens: outputTokens, cached_tokens: cachedTokens };
  return { calls, failed, ...tokens, cost, unpriced };
}

function kindOf(text: string): UsageQuery["by"] {
  const wanted = text.trim().toLowerCase();
  const known = kinds.find((kind) => kind === (wanted === "key" ? "identity" : wanted));
  if (known) return known;
  throw new GatewayError(
    "INVALID",
    400,
    `by must be one of ${kinds.join(", ")} or key, not ${JSON.stringify(text.slice(0, 40))}`,
  );
}

/** Keys are named by their ids: `k_…`. */
function identityOf(key: string): string {
  return key.startsWith("k_") ? `key:${key}` : key;
}

/** `7d` before `now`, `2026-11-21`, or milliseconds since 1970. */
function moment(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhdw])(?: ago)?$/.exec(text.trim());
  if (ago) return Math.max(0, now - Number(ago[1]) * units[ago[2] as keyof typeof units]);
  const at = /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at) && at >= 0 && at <= 8.64e15) return at;
  throw new GatewayError(
    "INVALID",
    400,
    `${JSON.stringify(text.slice(0, 40))} is no time: use 7d, 12h, 30m, a date or milliseconds`,
  );
}
