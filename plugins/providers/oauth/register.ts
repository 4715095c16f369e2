/**
 * Accounts by OAuth, put into the plugin: its entrances at once, everything behind them when a provider with accounts is
 * configured or somebody comes in. Who uses no account pays for none of it.
 */
import type { AccountsView } from "../credentials/standings.ts";
import type { ModelsSection } from "../schema.ts";
import type { Core, OauthContext, OauthOptions } from "./core.ts";
import { registerMethods } from "./methods.ts";
import { registerRoutes } from "./routes.ts";

/** To be awaited in `setup`. The view signs requests at once and renews tokens once the plugin has started; undefined: nobody has accounts. */
export async function registerOauth(ctx: OauthContext, options: OauthOptions): Promise<() => AccountsView | undefined> {
  let core: Core | undefined;
  let loading: Promise<Core> | undefined;
  let started = false;
  const make = async (): Promise<Core> => {
    const { makeCore } = await import("./core.ts");
    core = makeCore(ctx, options);
    if (started) await core.run();
    return core;
  };
  const load = (): Promise<Core> => {
    loading ??= make();
    return loading;
  };
  ctx.own("oauth accounts", async () => (await loading)?.close());
  ctx.start(async () => {
    started = true;
    await core?.run();
  });
  ctx.onConfig(async (now) => {
    if (core) await core.run();
    else if (hasAccounts(now)) await load();
  });
  ctx.health("oauth accounts", () => core?.health() ?? { ok: true, accounts: 0 });
  registerRoutes(ctx, load);
  registerMethods(ctx, load);
  if (hasAccounts(ctx.config)) await load();
  return () => core?.accounts;
}

function hasAccounts({ providers }: ModelsSection): boolean {
  return Object.values(providers ?? {}).some(({ auth }) => auth === "oauth" || auth === "hybrid");
}
