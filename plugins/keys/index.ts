/** keys: named API keys on the `auth:identify` hook. Made, listed and revoked by RPC; a key is shown once, when it is made. */
import { type Context, definePlugin, gateway, need, Type } from "@chela/sdk";
import { KeyStore } from "./key-store.ts";
import { addKey, expiryFrom, type KeyRecord, revokeKey, stateOf } from "./keyring.ts";

const needs = { gateway: need(gateway, "^1.0.0") };
const flushEveryMs = 60_000;
const expiryCheckMs = 15_000;

const Scopes = Type.Array(Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")]), {
  minItems: 1,
  maxItems: 3,
});
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
});

export default definePlugin({
  id: "keys",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Named API keys with scopes and expiry, stored hashed",
  config: Type.Object({}),
  needs,
  async setup(ctx) {
    const store = new KeyStore(ctx.dataDir);
    await store.load();
    if (store.trouble) ctx.log.error({ file: store.file }, store.trouble);
    ctx.on("auth:identify", ({ candidates }) => store.identify(candidates, Date.now()));
    registerMethods(ctx, store);
    ctx.health("key file", () => ({ ok: store.trouble === "", reason: store.trouble }));
    ctx.start(() => reload(ctx, store));
    ctx.watch(ctx.dataDir, () => reload(ctx, store));
    ctx.every(flushEveryMs, async () => {
      await store.flush();
      // Where watching fails (too many watches, a network disk) a change is seen all the same, later.
      await reload(ctx, store);
    });
    ctx.every(expiryCheckMs, closeExpired(ctx, store));
    ctx.own("last use", () => store.flush().catch(() => undefined));
  },
});

type Ctx = Context<unknown, typeof needs>;

function registerMethods(ctx: Ctx, store: KeyStore): void {
  ctx.method({
    name: "keys.add",
    access: "admin",
    about: "Makes a key. The answer is the only place where `key` ever appears.",
    params: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 64 }),
      scopes: Scopes,
      expires: Type.Optional(Type.String({ maxLength: 64, description: "30d, 12h, 15m or a date; absent: never." })),
    }),
    result: Type.Intersect([Row, Type.Object({ key: Type.String() })]),
    handler: async ({ name, scopes, expires }, { identity }) => {
      const now = Date.now();
      const wanted = { name, scopes, expiresAt: expiryFrom(expires, now) };
      const { record, key } = await store.update((ring) => addKey(ring, wanted, identity, now));
      ctx.log.info({ id: record.id, name: record.name, scopes: record.scopes, by: identity.id }, "key added");
      return { ...rowOf(record, now), key };
    },
  });
  ctx.method({
    name: "keys.list",
    access: "admin",
    about: "All keys, the revoked ones of late included; never a hash or a key.",
    params: Type.Object({}),
    result: Type.Array(Row),
    handler: () => store.ring.keys.map((record) => rowOf(record, Date.now())),
  });
  ctx.method({
    name: "keys.revoke",
    access: "admin",
    about: "Ends a key by id or name and closes the sockets that it opened.",
    params: Type.Object({
      id: Type.Optional(Type.String({ maxLength: 64 })),
      name: Type.Optional(Type.String({ maxLength: 64 })),
    }),
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
      if (changed) ctx.log.info({ id: record.id, name: record.name, by: identity.id, socketsClosed }, "key revoked");
      return { id: record.id, name: record.name, changed, socketsClosed };
    },
  });
}

/** Somebody else wrote the file, or we did: then nothing has changed. */
async function reload(ctx: Ctx, store: KeyStore): Promise<void> {
  const before = store.trouble;
  const narrowed = await store.load();
  if (store.trouble && store.trouble !== before)
    ctx.log.error({ file: store.file }, `${store.trouble}; the keys read before stay in force`);
  if (narrowed) await ctx.use.gateway.recheckCredentials();
}

/** A socket outlives the request that opened it: those of a key that has expired are closed. */
function closeExpired(ctx: Ctx, store: KeyStore): () => Promise<void> {
  let checkedAt = Date.now();
  return async () => {
    const now = Date.now();
    const expired = store.ring.keys.some(
      ({ expiresAt }) => expiresAt !== null && expiresAt > checkedAt && expiresAt <= now,
    );
    checkedAt = now;
    if (expired) await ctx.use.gateway.recheckCredentials();
  };
}

function rowOf(record: KeyRecord, now: number) {
  const { id, name, prefix, scopes, createdBy, createdAt, expiresAt, lastUsedAt, revokedAt } = record;
  const state = stateOf(record, now);
  return { id, name, prefix, scopes, state, createdBy, createdAt, expiresAt, lastUsedAt, revokedAt };
}
