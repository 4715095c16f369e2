/** Asks models for a word, four at once, and keeps how each answered. */
import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import { call } from "../../client/http.ts";
import { span } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { short } from "../../parts/plain.ts";
import { ask } from "./wish.ts";

interface Report {
  readonly firstTokenMs: number;
  readonly totalMs: number;
}

type Outcome =
  | { readonly state: "asking" }
  | ({ readonly state: "ok" } & Report)
  | { readonly state: "failed"; readonly why: string };

const atOnce = 4;
const longestMs = 180_000;

export class ModelTests implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element;
  readonly #outcomes = new Map<string, Outcome>();
  #running = new AbortController();

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  get isBusy(): boolean {
    return [...this.#outcomes.values()].some(({ state }) => state === "asking");
  }

  of(model: string): Outcome | undefined {
    return this.#outcomes.get(model);
  }

  /** Resolves when all have answered, or failed to. */
  async run(models: readonly string[]): Promise<void> {
    if (this.#running.signal.aborted) this.#running = new AbortController();
    const waiting = [...models];
    for (const model of waiting) this.#outcomes.set(model, { state: "asking" });
    this.#host.requestUpdate();
    const worker = async () => {
      for (let model = waiting.shift(); model !== undefined; model = waiting.shift()) await this.#ask(model);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, models.length) }, worker));
    // Each answer says something about its provider.
    ask(this.#host, "changed");
  }

  stop(): void {
    this.#running.abort();
    for (const [model, { state }] of this.#outcomes) if (state === "asking") this.#outcomes.delete(model);
    this.#host.requestUpdate();
  }

  async #ask(model: string): Promise<void> {
    const { signal } = this.#running;
    if (signal.aborted) return;
    try {
      const report = await call<Report>("providers.test", { model }, { timeout: longestMs, signal });
      this.#outcomes.set(model, { ...report, state: "ok" });
    } catch (error) {
      if (signal.aborted) return;
      this.#outcomes.set(model, { state: "failed", why: (error as Error).message });
    }
    this.#host.requestUpdate();
  }
}

/** How a model answered, in one line; the vendor's own words where it refused. */
export function outcome(tests: ModelTests, model: string): TemplateResult | "" {
  const found = tests.of(model);
  if (found === undefined) return "";
  if (found.state === "asking")
    return html`<span class="muted small" role="status">${t("providers.test.asking")}</span>`;
  if (found.state === "failed")
    return html`<span class="error" role="status"><ui-icon name="circle-x"></ui-icon> ${short(found.why, 600)}</span>`;
  const times = { first: span(found.firstTokenMs), total: span(found.totalMs) };
  return html`<span class="small good" role="status"><ui-icon name="circle-check"></ui-icon> ${t("providers.test.ok", times)}</span>`;
}
