/** keys: named API keys on the `auth:identify` hook, with limits on what each may use. A key is shown once, when it is made. */
import { type Context, definePlugin, files, gateway, limits, need, Type, usageBook } from "@chela/sdk";
import { isLimited, keyEnded, overBudget } from "./budget.ts";
import { KeyStore } from "./key-store.ts";
import { isOfKey, stateOf } from "./keyring.ts";
import { registerMethods } from "./methods.ts";
import { Rates } from "./rates.ts";

const needs = {
  files: need(files, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  usage: need(usageBook, "^1.0.0", { optional: true }),
};
const flushEveryMs = 60_000;
const expiryCheckMs = 15_000;

export type KeysContext = Context<unknown, typeof needs>;

export default definePlugin({
  id: "keys",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Named API keys with scopes, expiry, rate limits and budgets, stored hashed",
  config: Type.Object({}),
  needs,
  provides: [limits],
  async setup(ctx) {
    const store = new KeyStore(ctx.dataDir, ctx.use.files);
    await store.load();
    if (store.trouble) ctx.log.error({ file: store.file }, store.trouble);
    ctx.on("auth:identify", ({ candidates }) => store.identify(candidates, Date.now()));
    registerLimits(ctx, store);
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

/** Requests are counted at the entrances, tokens and dollars before each model call. */
function registerLimits(ctx: KeysContext, store: KeyStore): void {
  const rates = new Rates();
  ctx.on("auth:authorize", (identity, { what }) => {
    if (identity.kind !== "key" || (what !== "route" && what !== "stream")) return undefined;
    const record = store.known(identity);
    const rpm = record?.limits.rpm ?? null;
    return record && rpm !== null ? rates.take(record, rpm) : undefined;
  });
  ctx.on("model:before", ({ identity }) => {
    if (!identity || !isOfKey(identity)) return undefined;
    const record = store.known(identity);
    if (!record || stateOf(record, Date.now()) !== "active") return keyEnded(identity.name);
    const asks = { id: identity.id, name: record.name, limits: record.limits };
    const { usage } = ctx.use;
    const judged = (book: typeof usage) => overBudget(asks, book, Date.now());
    const early = isLimited(record.limits) ? usage?.ready() : undefined;
    if (!early) return judged(usage);
    // What nobody can measure is used up.
    return early.then(
      () => judged(usage),
      () => judged(undefined),
    );
  });
  ctx.provide(limits, {
    rate: (identity) => {
      const record = store.known(identity);
      return record && record.limits.rpm !== null ? rates.facts(record.id, record.limits.rpm) : undefined;
    },
  });
}

/** Somebody else wrote the file, or we did: then nothing has changed. */
async function reload(ctx: KeysContext, store: KeyStore): Promise<void> {
  const before = store.trouble;
  const narrowed = await store.load();
  if (store.trouble && store.trouble !== before)
    ctx.log.error({ file: store.file }, `${store.trouble}; the keys read before stay in force`);
  if (narrowed) await ctx.use.gateway.recheckCredentials();
}

/** A socket outlives the request that opened it: those of a key that has expired are closed. */
function closeExpired(ctx: KeysContext, store: KeyStore): () => Promise<void> {
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
