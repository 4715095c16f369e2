/** What whoever asks has used himself and what is left of his limits: nobody needs rights over others to see it. */
import { Type } from "@chela/sdk";
import type { KeysContext, OnDemand } from "./index.ts";
import type { KeyStore } from "./key-store.ts";
import type { Rates } from "./rates.ts";

export interface Sources {
  readonly store: KeyStore;
  readonly rates: Rates;
  readonly budgets: OnDemand;
}

const load = () => import("./own-answer.ts");

const Amount = Type.Number();
const Moment = (description: string) => Type.Integer({ description: `${description}; milliseconds since 1970` });
const Limit = Type.Union([Type.Literal("requests"), Type.Literal("tokens"), Type.Literal("usd")]);
const Per = Type.Union([Type.Literal("minute"), Type.Literal("day"), Type.Literal("month")]);
const row = {
  limit: Limit,
  per: Per,
  max: Amount,
  used: Amount,
  reserved: Type.Number({ description: "What calls that run now may use at most" }),
  remaining: Type.Number({ description: "What is neither used nor reserved" }),
};
const facts = {
  id: Type.String({ description: "Identity: token, key:ID …" }),
  name: Type.String(),
  period: Type.Union([Type.Literal("day"), Type.Literal("month")], { description: "Of UTC" }),
  since: Moment("When the period began"),
};
const Used = Type.Union([Type.Object({ calls: Amount, tokens: Amount, cost: Amount }), Type.Null()], {
  description: "Since then; the cost in US dollars of calls whose price is known. Null: it cannot be measured",
});
const resets = "When all of it is there again";
const Own = Type.Object({
  ...facts,
  resetsAt: Moment("When it ends"),
  used: Used,
  limits: Type.Array(Type.Object({ ...row, resetsAt: Moment(resets) })),
});
const OwnReply = Type.Object({
  ok: Type.Boolean(),
  ...facts,
  resets_at: Moment("When it ends"),
  used: Used,
  limits: Type.Array(Type.Object({ ...row, resets_at: Moment(resets) })),
});
const about = "What the caller himself has used in this day or month, and what is left of his limits";

export function registerOwnUsage(ctx: KeysContext, sources: Sources): void {
  ctx.method({
    name: "usage.me",
    access: "read",
    about,
    params: Type.Object({}),
    result: Own,
    handler: async (_, { identity }) => (await load()).ownUsage(ctx, sources, identity),
  });
  ctx.route({
    method: "GET",
    path: "/api/usage/me",
    access: "read",
    about,
    reply: OwnReply,
    handler: async ({ identity }) => {
      const { ownUsage, spelled } = await load();
      return spelled(await ownUsage(ctx, sources, identity));
    },
  });
}
