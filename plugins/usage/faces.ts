/** The ways to ask: `GET /api/usage` in ClawGo's spelling, `usage.totals` for everyone else. */
import { type Context, Type } from "@chela/sdk";
import type { Book } from "./book.ts";
import { kinds, splitKinds } from "./kinds.ts";

const Only = (description: string) => Type.Optional(Type.String({ description }));
const When = (what: string) =>
  Type.Optional(Type.String({ description: `${what}: 7d, 12h, 30m ago, a date, or milliseconds` }));
const By = Type.Optional(Type.String({ description: `${kinds.join(", ")}; key is identity` }));
const Split = Type.Optional(
  Type.String({
    description: `Each row shared once more, among the largest: ${splitKinds.join(", ")}; key is identity`,
  }),
);

const fields = {
  since: When("From"),
  until: When("Until"),
  by: By,
  split: Split,
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
const Name = Type.Object({
  name: Type.String(),
  label: Type.Optional(Type.String({ description: "What people call the API key" })),
});
const Reply = Type.Object({
  ok: Type.Boolean(),
  by: Type.String(),
  since: Count,
  until: Count,
  total: Type.Object(Sums),
  splits: Type.Optional(Type.Array(Name)),
  rows: Type.Array(
    Type.Object({
      ...Name.properties,
      ...Sums,
      parts: Type.Optional(Type.Array(Type.Object({ ...Name.properties, ...Sums }))),
      rest: Type.Optional(Type.Union([Type.Object(Sums), Type.Null()], { description: "All other parts" })),
    }),
  ),
});

const load = () => import("./asked.ts");

export function registerFaces(
  ctx: Pick<Context, "route" | "method">,
  book: Book,
  labelOf: (identity: string) => string | undefined,
): void {
  ctx.route({
    method: "GET",
    path: "/api/usage",
    access: "read",
    about: "What model calls used and cost, summed by time, model, key or session",
    query: Query,
    reply: Reply,
    handler: async ({ query: { limit, ...query } }) => {
      const count = /^\d+$/.test(limit ?? "") ? Number(limit) : undefined;
      const { ask, spelledAnswer } = await load();
      return spelledAnswer(await ask(book, { ...query, ...(count && { limit: count }) }, labelOf));
    },
  });
  ctx.method({
    name: "usage.totals",
    access: "read",
    about: "What model calls used and cost, summed by time, model, key or session",
    params: Params,
    handler: async (params) => (await load()).ask(book, params, labelOf),
  });
  ctx.method({
    name: "usage.prices",
    access: "read",
    about: "What models cost: US dollars for a million tokens, null where nobody knows",
    params: Type.Object({
      models: Type.Array(Type.String({ maxLength: 300 }), {
        maxItems: 500,
        description: "Ids of models: provider/model",
      }),
    }),
    handler: async ({ models }) => ({ prices: Object.fromEntries(models.map((model) => [model, book.price(model)])) }),
  });
}
