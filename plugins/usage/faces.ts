/** The ways to ask: `GET /api/usage` in ClawGo's spelling, `usage.totals` for everyone else. */
import { type Context, Type, type UsageBook } from "@chela/sdk";
import { kinds } from "./kinds.ts";

const Only = (description: string) => Type.Optional(Type.String({ description }));
const When = (what: string) =>
  Type.Optional(Type.String({ description: `${what}: 7d, 12h, 30m ago, a date, or milliseconds` }));
const By = Type.Optional(Type.String({ description: `${kinds.join(", ")}; key is identity` }));

const fields = {
  since: When("From"),
  until: When("Until"),
  by: By,
  model: Only("Only calls of this model: provider/model"),
  key: Only("Only calls of this API key: its id"),
  identity: Only("Only calls of this identity: token, key:ID …"),
  session: Only("Only calls in this session"),
};
const Query = Type.Object({ ...fields, limit: Only("Rows at most: 1 to 1000, default 100") });
const Params = Type.Object({
  ...fields,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "Rows at most; default 100" })),
});
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

const load = () => import("./asked.ts");

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
      const { ask, spelled } = await load();
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
    handler: async (params) => (await load()).ask(book, params),
  });
}
