/** What whoever asks has used himself and what is left of his limits: nobody needs rights over others to see it. */
import { type Identity, Type } from "@chela/sdk";
import type { KeysContext, OnDemand } from "./index.ts";
import type { KeyStore } from "./key-store.ts";
import type { KeyRecord } from "./keyring.ts";
import { periodOf, unlimited } from "./limits.ts";
import type { Rates } from "./rates.ts";
import { left } from "./refusals.ts";

interface Sources {
  readonly store: KeyStore;
  readonly rates: Rates;
  readonly budgets: OnDemand;
}

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
    handler: (_, { identity }) => ownUsage(ctx, sources, identity),
  });
  ctx.route({
    method: "GET",
    path: "/api/usage/me",
    access: "read",
    about,
    reply: OwnReply,
    handler: async ({ identity }) => {
      const { resetsAt: resets_at, limits, ...own } = await ownUsage(ctx, sources, identity);
      return {
        ok: true,
        ...own,
        resets_at,
        limits: limits.map(({ resetsAt, ...limit }) => ({ ...limit, resets_at: resetsAt })),
      };
    },
  });
}

async function ownUsage(ctx: KeysContext, { store, rates, budgets }: Sources, identity: Identity) {
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
