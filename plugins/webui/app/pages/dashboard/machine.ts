/** How full the machine is. */
import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { bytes } from "../../i18n/formats.ts";
import { number, t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { meter, meterStyles } from "../../parts/meter.ts";
import { Part } from "../../parts/part.ts";
import type { Machine, Space } from "./facts.ts";

const everyMs = 60_000;

@customElement("dashboard-machine")
export class MachineCard extends Part {
  static override styles = [...Part.styles, meterStyles, css`h3 { margin-bottom: 0.6rem; } .stack { gap: 0.7rem; }`];

  readonly #machine = new Load(this, () => call<Machine>("metrics.machine"), { every: everyMs });

  override render() {
    return html`<h3>${t("dashboard.machine")}</h3>${this.#machine.show((machine) => this.facts(machine))}`;
  }

  private facts({ cpus, memory, disk, load }: Machine) {
    return html`<div class="stack">
      ${space(t("dashboard.machine.memory"), memory)}
      ${disk ? space(t("dashboard.machine.disk"), disk) : nothing}
      <div class="spread small"><span>${t("dashboard.machine.load")}</span>
        <strong>${load.map((value) => number(value, { maximumFractionDigits: 2 })).join(" · ")}</strong></div>
      <div class="muted small">${t("dashboard.machine.cpus", { n: cpus })}</div>
    </div>`;
  }
}

function space(label: string, { total, free }: Space) {
  const value = t("dashboard.machine.of", { used: bytes(total - free), total: bytes(total) });
  return meter({ label, value, part: (total - free) / Math.max(total, 1) });
}
