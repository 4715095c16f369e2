/** usage: what model calls used and cost. One record for each call, failed ones included; sums by time, model, person and session. */
import { config, definePlugin, limits, need, store, usageBook } from "@chela/sdk";
import { Book } from "./book.ts";
import { registerFaces } from "./faces.ts";
import { localProviders } from "./local-providers.ts";
import { UsageConfig } from "./settings.ts";
import { migrations } from "./tables.ts";

const flushEveryMs = 1_000;
const hour = 3_600_000;

export default definePlugin({
  id: "usage",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Usage and costs of model calls",
  section: "usage",
  config: UsageConfig,
  hot: ["*"],
  needs: {
    store: need(store, "^1.0.0"),
    config: need(config, "^1.0.0"),
    limits: need(limits, "^1.0.0", { optional: true }),
  },
  provides: [usageBook],
  async setup(ctx) {
    await ctx.use.store.migrate("usage", migrations);
    const local = localProviders(ctx.use.config);
    const book = new Book({ store: ctx.use.store, settings: () => ctx.config, isLocal: local.has });
    ctx.own("unwritten calls", () =>
      book.flush().catch((error: unknown) => ctx.log.error({ error }, "calls were not written")),
    );
    // Not async: a promise would have to be waited for, with a timer, at every call of a model.
    ctx.on("model:done", (record) => void book.record(record));
    ctx.on("config:changed", async ({ changed }) => {
      if (!changed.some((path) => path.startsWith("models."))) return;
      local.forget();
      book.reprice();
    });
    ctx.onConfig(() => book.reprice());
    ctx.start(
      () => void book.restore().catch((error: unknown) => ctx.log.warn({ error }, "earlier usage was not read")),
    );
    ctx.every(flushEveryMs, () => book.flush().catch(() => undefined));
    ctx.every(hour, () => book.purge());
    ctx.health("records", () => {
      const { waiting, dropped, trouble } = book.writer;
      return {
        ok: trouble === undefined && dropped === 0,
        waiting,
        dropped,
        ...(trouble !== undefined && { reason: String(trouble) }),
      };
    });
    ctx.provide(usageBook, book);
    registerFaces(ctx, book, (identity) => ctx.use.limits?.name?.(identity));
  },
});
