/** The RPC methods of the keys. */
import { type Static, Type } from "@chela/sdk";
import type { KeysContext } from "./index.ts";
import type { KeyStore } from "./key-store.ts";
import { addKey, expiryFrom, type KeyRecord, limitKey, revokeKey } from "./keyring.ts";
import type { Sources } from "./own-usage.ts";

const Scopes = Type.Array(Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")]), {
  minItems: 1,
  maxItems: 3,
  description: "What the key may do; admin includes write, write includes read",
});
const count = (description: string) => Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description });
const Rpm = count("Requests in a minute; null: no limit");
const Tokens = count("Tokens of models in a period, in and out together; null: no limit");
const Dollars = Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
  description: "US dollars in a period, for calls whose price is known; null: no limit",
});
const Period = Type.Union([Type.Literal("day"), Type.Literal("month")], { description: "Of UTC; a new key has month" });
const Limits = Type.Object({ rpm: Rpm, tokens: Tokens, usd: Dollars, period: Period });
const WantedLimits = Type.Object({
  rpm: Type.Optional(Rpm),
  tokens: Type.Optional(Tokens),
  usd: Type.Optional(Dollars),
  period: Type.Optional(Period),
});
const Spent = Type.Object({ tokens: Type.Number(), cost: Type.Number(), calls: Type.Number() });
const Left = Type.Union([Type.Number(), Type.Null()]);
const Row = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String(),
  scopes: Scopes,
  state: Type.Union([Type.Literal("active"), Type.Literal("expired"), Type.Literal("revoked")]),
  createdBy: Type.String(),
  createdAt: Type.Number(),
  expiresAt: Type.Union([Type.Number(), Type.Null()]),
  lastUsedAt: Type.Union([Type.Number(), Type.Null()]),
  revokedAt: Type.Union([Type.Number(), Type.Null()]),
  limits: Limits,
  spent: Type.Union([Spent, Type.Null()], { description: "In this day or month; null without the plugin usage" }),
  remaining: Type.Object(
    { tokens: Left, usd: Left, rpm: Left },
    {
      description:
        "Of its budget, without what calls that run now may use, and of its minute; null: no limit, or not known",
    },
  ),
  resetsAt: Type.Integer({ description: "When its budget begins anew" }),
});
const Named = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 64, description: "Id of the key; or give its name" })),
  name: Type.Optional(Type.String({ maxLength: 64, description: "Name of the key, where no other has it" })),
});

export type KeyRow = Static<typeof Row>;

export function registerMethods(ctx: KeysContext, sources: Sources): void {
  const { store, budgets } = sources;
  const rowOf = async (record: KeyRecord): Promise<KeyRow> => {
    const { keyRow } = await import("./key-row.ts");
    return keyRow(record, sources, await budgets.open(), ctx.use.usage);
  };
  ctx.method({
    name: "keys.add",
    access: "admin",
    about: "Makes a key. The answer is the only place where `key` ever appears.",
    params: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 64, description: "Whose key it is; a name for people" }),
      scopes: Scopes,
      expires: Type.Optional(Type.String({ maxLength: 64, description: "30d, 12h, 15m or a date; absent: never." })),
      limits: Type.Optional(WantedLimits),
    }),
    result: Type.Intersect([Row, Type.Object({ key: Type.String() })]),
    handler: async ({ name, scopes, expires, limits }, { identity }) => {
      const now = Date.now();
      const wanted = { name, scopes, expiresAt: expiryFrom(expires, now), limits };
      const { record, key } = await store.update((ring) => addKey(ring, wanted, identity, now));
      ctx.log.info({ id: record.id, name: record.name, scopes: record.scopes, by: identity.id }, "key added");
      ctx.emit("key_changed", { id: record.id });
      return { ...(await rowOf(record)), key };
    },
  });
  ctx.method({
    name: "keys.list",
    access: "admin",
    about: "All keys, the revoked ones of late included; never a hash or a key.",
    params: Type.Object({}),
    result: Type.Array(Row),
    handler: () => Promise.all(store.ring.keys.map(rowOf)),
  });
  ctx.method({
    name: "keys.limit",
    access: "admin",
    about: "Changes what a key may use; a limit that is not named stays, null takes it away.",
    params: Type.Intersect([Named, Type.Object({ limits: WantedLimits })]),
    result: Row,
    handler: async ({ id, name, limits }, { identity }) => {
      const { record } = await store.update((ring) => limitKey(ring, id ?? name ?? "", limits));
      ctx.log.info({ id: record.id, name: record.name, limits: record.limits, by: identity.id }, "key limited");
      ctx.emit("key_changed", { id: record.id });
      return rowOf(record);
    },
  });
  registerRevoke(ctx, store);
}

function registerRevoke(ctx: KeysContext, store: KeyStore): void {
  ctx.method({
    name: "keys.revoke",
    access: "admin",
    about: "Ends a key by id or name and closes the sockets that it opened.",
    params: Named,
    result: Type.Object({
      id: Type.String(),
      name: Type.String(),
      changed: Type.Boolean(),
      socketsClosed: Type.Integer(),
    }),
    handler: async (params, { identity }) => {
      const { record, changed } = await store.update((ring) =>
        revokeKey(ring, params.id ?? params.name ?? "", Date.now()),
      );
      const socketsClosed = changed ? await ctx.use.gateway.recheckCredentials() : 0;
      if (changed) {
        ctx.log.info({ id: record.id, name: record.name, by: identity.id, socketsClosed }, "key revoked");
        ctx.emit("key_changed", { id: record.id });
      }
      return { id: record.id, name: record.name, changed, socketsClosed };
    },
  });
}
