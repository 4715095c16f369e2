/**
 * A day of health as one bar of equal parts. The pointer or the arrow keys choose a part, and a line below says what was in it;
 * the whole day is there as text, too.
 */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { clock, percent } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Condition, History, Period } from "./facts.ts";

const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

@customElement("dashboard-health-strip")
export class HealthStrip extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .strip { display: flex; align-items: end; gap: 1px; height: 2.4rem; border-radius: var(--radius-s); cursor: default; touch-action: pan-y; }
      i { flex: 1; min-width: 0; height: 100%; border-radius: 1px; background: var(--surface-3); }
      .ok { background: var(--ok); }
      .degraded { background: repeating-linear-gradient(135deg, var(--warn) 0 3px, var(--warn-soft) 3px 5px); height: 75%; }
      .down { background: var(--bad); height: 50%; }
      .none { height: 20%; }
      .chosen { outline: 2px solid var(--text); outline-offset: 1px; }
      .ends { display: flex; justify-content: space-between; margin-top: 0.2rem; }
      .says { min-height: 2.6em; margin: 0.3rem 0 0; }
      details { margin-top: 0.2rem; }
      summary { width: fit-content; min-height: 1.5rem; color: var(--text-2); }
      ul { margin: 0.3rem 0; padding-inline-start: 1.2rem; max-height: 14rem; overflow: auto; }
    `,
  ];

  @property({ attribute: false }) history: History = { until: 0, every_ms: 1, buckets: [] };
  @state() private chosen: number | undefined;

  override render() {
    const { buckets, every_ms, until } = this.history;
    const at = this.chosen ?? buckets.length - 1;
    return html`
      <div class="strip" role="slider" tabindex="0" aria-label=${t("dashboard.health.day")} aria-description=${t("dashboard.health.keys")}
        aria-valuemin="0" aria-valuemax=${Math.max(0, buckets.length - 1)} aria-valuenow=${at} aria-valuetext=${this.told(buckets[at])}
        @keydown=${this.key} @pointermove=${this.point} @pointerdown=${this.point} @pointerleave=${this.leave} @blur=${this.leave}>
        ${buckets.map((period, index) => html`<i class="${condition(period)} ${index === this.chosen ? "chosen" : ""}"></i>`)}
      </div>
      <div class="ends muted small" aria-hidden="true"><span>${clock(buckets[0]?.at ?? 0)}</span><span>${clock(Math.min(until, Date.now()))}</span></div>
      <p class="says small wrap">${this.chosen === undefined ? summary(buckets) : this.told(buckets[this.chosen])}</p>
      <details class="small"><summary>${t("dashboard.health.asText")}</summary>
        <ul>${stretches(buckets).map(({ from, to }) => html`<li class="wrap">${said(from, to.at + every_ms)}</li>`)}</ul>
      </details>`;
  }

  private told(period: Period | undefined): string {
    return period === undefined ? "" : said(period, period.at + this.history.every_ms);
  }

  private key(event: KeyboardEvent): void {
    const last = this.history.buckets.length - 1;
    const at = this.chosen ?? last;
    const ends: Readonly<Record<string, number>> = { Home: 0, End: last };
    const to = ends[event.key] ?? at + (steps[event.key] ?? Number.NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    this.chosen = Math.min(Math.max(to, 0), last);
  }

  private point(event: PointerEvent): void {
    const strip = event.currentTarget as HTMLElement;
    const { left, width } = strip.getBoundingClientRect();
    const { length } = this.history.buckets;
    this.chosen = Math.min(length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * length)));
  }

  private leave(): void {
    this.chosen = undefined;
  }
}

function condition({ status }: Period): Condition {
  return status ?? "none";
}

function said(period: Period, until: number): string {
  const status = t(`dashboard.health.${condition(period)}`);
  const names = period.failing.map((name) => short(name, 100)).join(", ");
  const text = t("dashboard.health.at", { from: clock(period.at), until: clock(until), status });
  return names === "" ? text : `${text} (${names})`;
}

function summary(buckets: readonly Period[]): unknown {
  const watched = buckets.filter(({ status }) => status !== null);
  if (watched.length === 0) return html`<span class="muted">${t("dashboard.health.unwatched")}</span>`;
  const well = watched.filter(({ status }) => status === "ok").length;
  return t("dashboard.health.sum", { ok: percent(well / watched.length) });
}

/** Neighbours that say the same, as one. */
function stretches(buckets: readonly Period[]): { from: Period; to: Period }[] {
  const found: { from: Period; to: Period }[] = [];
  const same = (a: Period, b: Period) => a.status === b.status && a.failing.join() === b.failing.join();
  for (const period of buckets) {
    const before = found.at(-1);
    if (before && same(before.from, period)) before.to = period;
    else found.push({ from: period, to: period });
  }
  return found;
}
