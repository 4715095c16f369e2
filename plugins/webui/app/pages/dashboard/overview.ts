/** What runs here: its state, its version, where it listens and what it runs on. */
import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { dateTime, span } from "../../i18n/formats.ts";
import { type Key, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import type { Machine, Status } from "./facts.ts";

const everyMs = 10_000;

@customElement("dashboard-overview")
export class Overview extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .card { display: grid; grid-template-columns: minmax(11rem, auto) 1fr; gap: 1rem 2rem; align-items: center; }
      .state { display: flex; align-items: center; gap: 0.7rem; font-size: 1.2rem; font-weight: 650; }
      .state ui-icon { width: 1.7rem; height: 1.7rem; }
      .ok { color: var(--ok); } .warn { color: var(--warn); } .bad { color: var(--bad); }
      dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 11rem), 1fr)); gap: 0.6rem 1.2rem; margin: 0; font-size: 0.9rem; }
      dt { color: var(--text-2); font-size: 0.8rem; }
      dd { margin: 0; overflow-wrap: anywhere; }
      @media (max-width: 640px) { .card { grid-template-columns: 1fr; } dl { grid-template-columns: 1fr 1fr; } }
    `,
  ];

  @property({ attribute: false }) status: Status | undefined;
  /** Somebody knows the machine. */
  @property({ type: Boolean }) machine = false;
  /** When the status was told, by a clock that does not jump. */
  #toldAt = 0;
  readonly #machine = new Load(this, () => call<Machine>("metrics.machine"), { manual: true });

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => this.requestUpdate(), everyMs);
    this.untilGone(() => clearInterval(timer));
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("status")) this.#toldAt = performance.now();
    if (changed.has("machine") && this.machine) void this.#machine.again();
  }

  override render() {
    const { status } = this;
    if (!status) return nothing;
    const [kind, icon, name] = stateOf(status);
    const up = span(Math.max(1_000, status.uptimeMs + performance.now() - this.#toldAt));
    return html`<section class="card" aria-labelledby="gateway">
      <h2 id="gateway" class="visually-hidden">${t("dashboard.status")}</h2>
      <div>
        <div class="state ${kind}" role="status"><ui-icon name=${icon}></ui-icon>${t(name)}</div>
        <div>${t("dashboard.uptime", { time: up })}</div>
        <div class="muted small">${t("dashboard.since", { time: dateTime(status.startedAt) })}</div>
      </div>
      <dl>${this.facts(status).map(([label, value]) => html`<div><dt>${t(label)}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`;
  }

  private facts(status: Status): (readonly [Key, unknown])[] {
    const machine = this.machine ? this.#machine.value : undefined;
    return [
      ["dashboard.version", status.version],
      ["dashboard.node", status.node],
      ["dashboard.pid", String(status.pid)],
      ...(machine
        ? ([
            ["dashboard.host", plain(machine.hostname)],
            ["dashboard.system", `${machine.os} ${machine.arch}`],
          ] as const)
        : []),
      ["dashboard.address", html`<span class="mono">${status.url}</span>`],
      ["dashboard.bind", reach(status.host)],
      ["dashboard.auth", t(`dashboard.auth.${status.authMode}` as Key)],
      ["dashboard.configPath", html`<span class="mono">${plain(status.configPath)}</span>`],
      ["dashboard.stateDir", html`<span class="mono">${plain(status.stateDir)}</span>`],
    ];
  }
}

function stateOf({ ready, safeMode }: Status): readonly ["ok" | "warn" | "bad", string, Key] {
  if (!ready) return ["bad", "circle-x", "dashboard.notReady"];
  return safeMode ? ["warn", "triangle-alert", "dashboard.safeMode"] : ["ok", "circle-check", "dashboard.running"];
}

function reach(host: string): string {
  if (/^(127\.|::1$|localhost$)/.test(host)) return t("dashboard.bind.local");
  return /^(0\.0\.0\.0|::)$/.test(host) ? t("dashboard.bind.all") : t("dashboard.bind.one", { host });
}
