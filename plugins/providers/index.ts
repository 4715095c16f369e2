/** Model providers: OpenAI-compatible upstreams from `models.providers`, what is found on this machine, and the offline model. */
import { type Context, definePlugin, type Logger, providers, Type } from "@chela/sdk";
import { discover, discoveryAllowed, fromEnvironment } from "./discovery.ts";
import { namedModelProblems } from "./named-models.ts";
import { testModel } from "./probe.ts";
import { ModelsConfig, type ModelsSection, readSettings, type Settings } from "./settings.ts";
import { Upstreams } from "./upstreams.ts";

export default definePlugin({
  id: "providers",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Model providers: upstreams, failover, discovery and the built-in offline model",
  section: "models",
  config: ModelsConfig,
  hot: ["*"],
  provides: [providers],
  setup(ctx) {
    const settings = readSettings(ctx.config);
    const upstreams = new Upstreams(settings, { log: ctx.log, now: () => performance.now() });
    ctx.own("upstream connections", () => upstreams.close());
    ctx.provide(providers, upstreams);
    tellProblems(ctx.log, settings);

    const search = new Search(ctx, upstreams);
    ctx.own("model discovery", () => search.stop());
    ctx.start(() => search.restart(readSettings(ctx.config)));
    ctx.onConfig((now) => {
      const next = readSettings(now);
      upstreams.apply(next);
      tellProblems(ctx.log, next);
      search.restart(next);
    });

    ctx.on("config:validate", (config, add) => {
      const models = config.models as ModelsSection;
      for (const problem of readSettings(models).problems) add(problem);
      for (const problem of namedModelProblems(config.agents, models?.providers)) add(problem);
    });
    ctx.health("upstreams", () => {
      const { configured, discovered, cooling, problems } = upstreams.status();
      return { ok: problems.length === 0, configured, discovered, cooling, primary: upstreams.primary() };
    });
    registerMethods(ctx, upstreams);
  },
});

function registerMethods(ctx: Pick<Context, "method">, upstreams: Upstreams): void {
  ctx.method({
    name: "providers.models",
    access: "read",
    about: "All models that can be asked, where they come from, and which one answers by default",
    handler: () => ({
      models: upstreams.models(),
      primary: upstreams.primary(),
      fallbacks: upstreams.fallbacks(),
      cooling: upstreams.status().cooling,
    }),
  });
  ctx.method({
    name: "providers.test",
    access: "write",
    about: "Asks a model for one token and reports the time to it",
    params: Type.Object({ model: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })) }),
    handler: ({ model }, call) => testModel(upstreams, model ?? upstreams.primary(), call.signal),
  });
}

function tellProblems(log: Logger, settings: Settings): void {
  for (const problem of settings.problems) log.warn({ path: problem.path }, `${problem.path} ${problem.message}`);
}

/** At most one search runs, in the background: readiness never waits for a port. */
class Search {
  readonly #ctx: Pick<Context<ModelsSection>, "log" | "config" | "emit">;
  readonly #upstreams: Upstreams;
  #running: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(ctx: Pick<Context<ModelsSection>, "log" | "config" | "emit">, upstreams: Upstreams) {
    this.#ctx = ctx;
    this.#upstreams = upstreams;
  }

  /** Searches when nothing is configured and nobody switched it off; else forgets what was found. */
  restart(settings: Settings): void {
    this.#running?.abort();
    const { enabled } = this.#ctx.config.discovery;
    if (settings.providers.length > 0 || !enabled || !discoveryAllowed(process.env)) {
      this.#upstreams.discover([]);
      return;
    }
    const running = new AbortController();
    this.#running = running;
    this.#work = this.#search(running.signal);
  }

  async stop(): Promise<void> {
    this.#running?.abort();
    await this.#work;
  }

  async #search(signal: AbortSignal): Promise<void> {
    const { env, host, ports, timeout_ms } = this.#ctx.config.discovery;
    const keyed = env ? fromEnvironment(process.env) : [];
    // What needs no search serves at once; what an earlier search found stays until this one has ended.
    if (this.#upstreams.status().discovered === 0) this.#upstreams.discover(keyed);
    const found = await discover({ keyed, host, ports, timeoutMs: timeout_ms, signal });
    if (signal.aborted) return;
    this.#upstreams.discover(found);
    if (found.length === 0) return;
    const names = found.map((spec) => spec.name);
    this.#ctx.log.info(
      { found: names, primary: this.#upstreams.primary() },
      `No provider is configured; found and using ${names.join(", ")}. The config file stays as it is: set models.providers to choose for yourself, or models.discovery.enabled to false.`,
    );
    this.#ctx.emit("providers.discovered", { found: names });
  }
}
