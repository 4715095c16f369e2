/** keys: named API keys on the `auth:identify` hook, with limits on what each may use. A key is shown once, when it is made. */
import { type Context, definePlugin, files, gateway, limits, need, Type, usageBook, type Want } from "@chela/sdk";
import type { Asking, Budgets } from "./budget.ts";
import { KeyStore } from "./key-store.ts";
import { identityIdOf, isOfKey, type KeyRecord, stateOf } from "./keyring.ts";
import { isBudgeted } from "./limits.ts";
import { registerMethods } from "./methods.ts";
import { registerOwnUsage, type Sources } from "./own-usage.ts";
import { Rates } from "./rates.ts";
import { keyEnded } from "./refusals.ts";

const needs = {
  files: need(files, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  usage: need(usageBook, "^1.0.0", { optional: true }),
};
/** Where requests come in; a method or a tool is asked for within one. */
const entrances: ReadonlySet<Want["what"]> = new Set(["route", "stream", "frame"]);
const flushEveryMs = 60_000;
const expiryCheckMs = 15_000;

export type KeysContext = Context<unknown, typeof needs>;

export interface OnDemand {
  made(): Budgets | undefined;
  open(): Promise<Budgets>;
}

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
    const rates = new Rates();
    const budgets = budgetsOnDemand();
    registerRates(ctx, store, rates);
    registerBudgets(ctx, store, budgets);
    const sources: Sources = { store, rates, budgets };
    registerMethods(ctx, sources);
    registerOwnUsage(ctx, sources);
    ctx.panel({ id: "keys", title: "Keys", icon: "key-round", module: "webui:keys", access: "admin", order: 80 });
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

/** Requests are counted at the entrances. */
function registerRates(ctx: KeysContext, store: KeyStore, rates: Rates): void {
  ctx.on("auth:authorize", (identity, { what }) => {
    if (identity.kind !== "key" || !entrances.has(what)) return undefined;
    const record = store.known(identity);
    const rpm = record?.limits.rpm ?? null;
    return record && rpm !== null ? rates.take(record, rpm) : undefined;
  });
  ctx.provide(limits, {
    rate: (identity) => {
      const record = store.known(identity);
      return record && record.limits.rpm !== null ? rates.facts(record.id, record.limits.rpm) : undefined;
    },
    name: (identity) => store.ring.keys.find((key) => identityIdOf(key) === identity)?.name,
  });
}

/** Tokens and dollars, before each call of a model; what it may use is reserved until its end. */
function registerBudgets(ctx: KeysContext, store: KeyStore, budgets: OnDemand): void {
  ctx.on(
    "model:before",
    (caller, model) => {
      const { identity } = caller;
      if (!identity || !isOfKey(identity)) return undefined;
      const record = store.known(identity);
      if (!record || stateOf(record, Date.now()) !== "active") return keyEnded(identity.name);
      if (!isBudgeted(record.limits)) return undefined;
      return judge(budgets, record, { caller, model, book: ctx.use.usage });
    },
    // After all others: what one of them refused has no end.
    "post",
  );
  ctx.on("model:done", (record) => {
    if (record.identity?.kind === "key") budgets.made()?.end(record, ctx.use.usage);
  });
}

/** At once, but for the first moments after a start. What nobody can measure is used up. */
function judge(budgets: OnDemand, key: KeyRecord, asking: Asking) {
  const early = asking.book?.ready();
  const made = budgets.made();
  if (made && !early) return made.begin(key, asking);
  const known = Promise.resolve(early).then(
    () => asking,
    () => ({ ...asking, book: undefined }),
  );
  return known.then(async (asks) => (await budgets.open()).begin(key, asks));
}

/** Loaded for the first key that has a budget. */
function budgetsOnDemand(): OnDemand {
  let made: Budgets | undefined;
  return {
    made: () => made,
    open: async () => {
      const { Budgets } = await import("./budget.ts");
      made ??= new Budgets();
      return made;
    },
  };
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
