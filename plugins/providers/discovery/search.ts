/** Looks for models in the background where none is configured: at most one search runs, and readiness never waits for a port. */
import type { Context } from "@chela/sdk";
import type { ModelsSection } from "../schema.ts";
import type { Settings } from "../settings.ts";
import type { Upstreams } from "../upstreams.ts";
import { discover, discoveryAllowed, fromEnvironment } from "./discovery.ts";

type SearchContext = Pick<Context<ModelsSection>, "log" | "config" | "emit">;

export class Search {
  readonly #ctx: SearchContext;
  readonly #upstreams: Upstreams;
  #running: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(ctx: SearchContext, upstreams: Upstreams) {
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
