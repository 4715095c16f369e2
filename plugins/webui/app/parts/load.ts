/** Loads what an element shows, and again when it may have changed; what was loaded stays on show while that happens. */
import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import { gateway } from "../client/gateway.ts";
import { t } from "../i18n/locale.ts";
import { short } from "./plain.ts";

/** One change of the gateway tells several things at once. */
const togetherMs = 100;
const signsOfSight = ["pagechange", "visibilitychange"] as const;

type LoadHost = ReactiveControllerHost & Element;

export interface LoadOptions {
  /** Load again when one of these events happens in the gateway. */
  readonly events?: readonly string[];
  /** Load again every so many milliseconds. What is asked for so often is loaded only while it can be seen, or when it is again. */
  readonly every?: number;
  /** Do not begin by itself: call `again`. */
  readonly manual?: boolean;
}

export class Load<T> implements ReactiveController {
  value: T | undefined;
  error: Error | undefined;
  busy = false;
  readonly #host: LoadHost;
  readonly #task: (signal: AbortSignal) => Promise<T>;
  readonly #options: LoadOptions;
  #running = new AbortController();
  #undo: (() => void)[] = [];
  #pending: ReturnType<typeof setTimeout> | undefined;
  #isStale = false;

  constructor(host: LoadHost, task: (signal: AbortSignal) => Promise<T>, options: LoadOptions = {}) {
    this.#host = host;
    this.#task = task;
    this.#options = options;
    host.addController(this);
  }

  hostConnected(): void {
    const { events = [], every, manual } = this.#options;
    const again = () => void this.again();
    if (!manual) again();
    gateway.addEventListener("back", again);
    const timer = every === undefined ? undefined : setInterval(() => this.#renew(), every);
    const shown = () => this.#isStale && this.#renew();
    for (const sign of signsOfSight) document.addEventListener(sign, shown);
    this.#undo = [
      gateway.on(events, () => this.#soon()),
      () => gateway.removeEventListener("back", again),
      () => clearInterval(timer),
      ...signsOfSight.map((sign) => () => document.removeEventListener(sign, shown)),
      () => {
        clearTimeout(this.#pending);
        this.#pending = undefined;
      },
    ];
  }

  hostDisconnected(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#running.abort();
    this.busy = false;
  }

  /** Resolves when the newest load is over; never throws. */
  async again(): Promise<void> {
    this.#running.abort();
    const running = new AbortController();
    this.#running = running;
    this.busy = true;
    this.#host.requestUpdate();
    try {
      const value = await this.#task(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error instanceof Error ? error : new Error(String(error));
    }
    this.busy = false;
    this.#host.requestUpdate();
  }

  /** Puts a value there that the caller knows already, such as the answer of a change. */
  set(value: T): void {
    this.#running.abort();
    this.busy = false;
    this.value = value;
    this.#host.requestUpdate();
  }

  /** What is there; else that it loads, or why it could not. */
  show(content: (value: T) => unknown): unknown {
    if (this.value !== undefined) return html`${this.error ? this.#failure() : ""}${content(this.value)}`;
    return this.error ? this.#failure() : html`<p class="muted" role="status">${t("app.loading")}</p>`;
  }

  #failure(): TemplateResult {
    return html`<div class="notice bad spread" role="alert">
      <span class="wrap">${short(this.error?.message ?? "", 2000)}</span>
      <button class="small" @click=${() => this.again()}>${t("ui.retry")}</button>
    </div>`;
  }

  #soon(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#renew();
    }, togetherMs);
  }

  #renew(): void {
    this.#isStale = this.#options.every !== undefined && !this.#isSeen();
    if (!this.#isStale) void this.again();
  }

  #isSeen(): boolean {
    return document.visibilityState === "visible" && this.#host.checkVisibility();
  }
}
