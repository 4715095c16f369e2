/** Model providers: upstreams from `models.providers` with their keys and accounts, what is found on this machine, and the offline model. */
import {
  type Context,
  config,
  definePlugin,
  events,
  files,
  gateway,
  type Logger,
  need,
  providers,
  relay,
} from "@chela/sdk";
import { primaryProvider } from "./catalogue.ts";
import type { AccountsView } from "./credentials/standings.ts";
import { Search } from "./discovery/search.ts";
import { registerFaces } from "./faces/register.ts";
import { namedModelProblems } from "./named-models.ts";
import { registerOauth } from "./oauth/register.ts";
import type { CallHooks } from "./records.ts";
import { ModelsConfig, type ModelsSection } from "./schema.ts";
import { readSettings, type Settings } from "./settings.ts";
import { Upstreams } from "./upstreams.ts";
import { RelayChannels } from "./wire/relay/channels.ts";

const needs = {
  config: need(config, "^1.0.0"),
  events: need(events, "^1.0.0"),
  files: need(files, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  relay: need(relay, "^1.0.0", { optional: true }),
};

export type ProvidersContext = Context<ModelsSection, typeof needs>;

const page = {
  id: "providers",
  title: "Providers",
  icon: "cloud",
  module: "webui:providers",
  access: "read",
  order: 30,
} as const;

export default definePlugin({
  id: "providers",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Model providers: keys, accounts, failover, discovery and the built-in offline model",
  section: "models",
  config: ModelsConfig,
  hot: ["*"],
  needs,
  provides: [providers],
  async setup(ctx) {
    const settings = readSettings(ctx.config);
    const now = () => performance.now();
    // The provider's credentials are looked at before its accounts are there.
    let accounts: (() => AccountsView | undefined) | undefined;
    const upstreams: Upstreams = new Upstreams(settings, {
      log: ctx.log,
      now,
      hooks: hooksOf(ctx),
      accounts: () => accounts?.(),
      relay: new RelayChannels(
        () => ctx.use.relay,
        now,
        (provider, channel, error) => upstreams.runtime.relayed(provider, channel, error),
      ),
      chosen: () => String(ctx.use.config.get("agents.defaults.model.primary", "merged").value ?? ""),
      keep: { folder: () => ctx.dataDir, files: ctx.use.files },
      onRests: (provider) => {
        if (!ctx.signal.aborted) ctx.emit("provider_rests_changed", { provider });
      },
    });
    const primary = () => primaryProvider(upstreams.primary(), upstreams.specs());
    const relays = (name: string) => upstreams.runtime.relayAccounts(name);
    accounts = await registerOauth(ctx, { standings: upstreams.runtime.ledger, primary, relays });
    ctx.use.events.subscribe(({ type, payload }) => {
      if (type.startsWith("relay_")) upstreams.runtime.relayChanged(type, String(payload.channel));
    });
    ctx.own("upstream connections", () => upstreams.close());
    ctx.provide(providers, upstreams);
    tellProblems(ctx.log, settings);

    const search = new Search(ctx, upstreams);
    ctx.own("model discovery", () => search.stop());
    ctx.start(() => search.restart(readSettings(ctx.config)));
    ctx.onConfig((next) => {
      const read = readSettings(next);
      upstreams.apply(read);
      tellProblems(ctx.log, read);
      search.restart(read);
    });

    ctx.on("config:validate", (whole, add) => {
      const models = whole.models as ModelsSection;
      for (const problem of readSettings(models).problems) add(problem);
      for (const problem of namedModelProblems(whole.agents, models)) add(problem);
    });
    ctx.health("upstreams", () => {
      const { configured, discovered, cooling, problems } = upstreams.status();
      const primary = upstreams.primary();
      const names = ["offline", ...upstreams.specs().map(({ name }) => name)];
      const reasons = problems.map(({ path, message }) => `${path} ${message}`);
      if (!names.some((name) => primary.startsWith(`${name}/`)))
        reasons.push(`no provider serves ${primary}, which answers by default`);
      const facts = { configured, discovered, cooling, primary };
      return reasons.length === 0 ? { ok: true, ...facts } : { ok: false, reason: reasons.join("; "), ...facts };
    });
    registerFaces(ctx, upstreams);
    ctx.panel(page);
  },
});

/** The conversation's hooks around model calls. What is told after the plugin was stopped reaches nobody. */
function hooksOf(ctx: ProvidersContext): CallHooks {
  return {
    listens: (hook) => !ctx.signal.aborted && ctx.listens(hook),
    before: (caller, model) => ctx.call("model:before", caller, model),
    done(record) {
      if (!ctx.signal.aborted) void ctx.call("model:done", record);
    },
  };
}

function tellProblems(log: Logger, settings: Settings): void {
  for (const problem of settings.problems) log.warn({ path: problem.path }, `${problem.path} ${problem.message}`);
}
