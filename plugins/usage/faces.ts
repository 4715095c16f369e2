/** The ways to ask: `GET /api/usage` in ClawGo's spelling, `usage.totals` for everyone else. */
import { type Context, GatewayError, Type, type UsageBook, type UsageQuery, type UsageTotals } from "@chela/sdk";

const kinds = ["day", "hour", "model", "provider", "identity", "session", "agent", "purpose"] as const;
const Text = Type.Optional(Type.String());
const When = (what: string) =>
  Type.Optional(Type.String({ description: `${what}: 7d, 12h, 30m ago, a date, or milliseconds` }));
const By = Type.Optional(Type.String({ description: `${kinds.join(", ")}; key is identity` }));

const fields = {
  since: When("From"),
  until: When("Until"),
  by: By,
  model: Text,
  key: Text,
  identity: Text,
  session: Text,
};
const Query = Type.Object({ ...fields, limit: Text });
const Params = Type.Object({ ...fields, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })) });
const Count = Type.Integer();
const Cost = Type.Union([Type.Number(), Type.Null()], {
  description: "US dollars; null: the price of no call is known",
});
const Sums = {
  calls: Count,
  failed: Count,
  input_tokens: Count,
  output_tokens: Count,
  cached_tokens: Count,
  cost: Cost,
  unpriced: Type.Integer({ description: "Calls whose price is not known" }),
};
const Reply = Type.Object({
  ok: Type.Boolean(),
  by: Type.String(),
  since: Count,
  until: Count,
  total: Type.Object(Sums),
  rows: Type.Array(Type.Object({ name: Type.String(), ...Sums })),
});

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

export function registerFaces(ctx: Pick<Context, "route" | "method">, book: UsageBook): void {
  ctx.route({
    method: "GET",
    path: "/api/usage",
    access: "read",
    about: "What model calls used and cost, summed by time, model, key or session",
    query: Query,
    reply: Reply,
    handler: async ({ query: { limit, ...query } }) => {
      const count = /^\d+$/.test(limit ?? "") ? Number(limit) : undefined;
      const { by, since, until, total, rows } = await ask(book, { ...query, ...(count && { limit: count }) });
      return {
        ok: true,
        by,
        since,
        until,
        total: spelled(total),
        rows: rows.map((row) => ({ name: row.name, ...spelled(row) })),
      };
    },
  });
  ctx.method({
    name: "usage.totals",
    access: "read",
    about: "What model calls used and cost, summed by time, model, key or session",
    params: Params,
    handler: (params) => ask(book, params),
  });
}

async function ask(book: UsageBook, asked: Asked) {
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
  const [total] = await book.totals({ ...query, by: "purpose", limit: 1_000 }).then(merged);
  return { by, ...range, total, rows };
}

function merged(rows: readonly UsageTotals[]): [UsageTotals] {
  const sum = (name: Exclude<keyof UsageTotals, "cost">) => rows.reduce((all, row) => all + row[name], 0);
  const priced = rows.filter((row) => row.cost !== null);
  return [
    {
      calls: sum("calls"),
      failed: sum("failed"),
      inputTokens: sum("inputTokens"),
      outputTokens: sum("outputTokens"),
      cachedTokens: sum("cachedTokens"),
      cost: priced.length === 0 ? null : priced.reduce((all, row) => all + (row.cost ?? 0), 0),
      unpriced: sum("unpriced"),
    },
  ];
}

function spelled({ calls, failed, inputTokens, outputTokens, cachedTokens, cost, unpriced }: UsageTotals) {
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
  const ago = /^(\d{1,6})([mhdw])$/.exec(text.trim());
  if (ago) return Math.max(0, now - Number(ago[1]) * units[ago[2] as keyof typeof units]);
  const at = /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at) && at >= 0 && at <= 8.64e15) return at;
  throw new GatewayError(
    "INVALID",
    400,
    `${JSON.stringify(text.slice(0, 40))} is no time: use 7d, 12h, 30m, a date or milliseconds`,
  );
}
