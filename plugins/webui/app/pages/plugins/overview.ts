/** What a plugin is: where it comes from, what it cost to start, what went wrong with it, what it needs and offers. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { href } from "../../client/router.ts";
import { ago, bytes, span } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { PluginInfo, PluginNeed } from "./shapes.ts";

@customElement("plugin-overview")
export class PluginOverview extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); align-items: start; }
      dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.35rem 1rem; margin: 0; font-size: 0.93rem; }
      dt { color: var(--text-2); } dd { margin: 0; }
    `,
  ];

  @property({ attribute: false }) info!: PluginInfo;

  override render() {
    const { info } = this;
    return html`<section class="card"><dl>${facts(info).map(([name, value]) => html`<dt>${name}</dt><dd class="wrap">${value}</dd>`)}</dl></section>
      <section class="card"><h2>${t("plugins.needs")}</h2>${info.needs.length === 0 ? html`<p class="muted">${t("plugins.needs.none")}</p>` : needs(info.needs)}</section>
      ${
        info.provides.length === 0
          ? ""
          : html`<section class="card"><h2>${t("plugins.provides")}</h2><div class="scroll"><table>
        <thead><tr><th>${t("plugins.needs.service")}</th><th>${t("plugins.needs.range")}</th><th>${t("plugins.provides.users")}</th></tr></thead>
        <tbody>${info.provides.map(({ id, version }) => html`<tr><td class="mono">${short(id, 80)}</td><td class="mono">${short(version, 30)}</td><td>${users(info, id)}</td></tr>`)}</tbody>
      </table></div></section>`
      }`;
  }
}

function facts(info: PluginInfo): readonly (readonly [string, unknown])[] {
  const { version, origin, root, host, section, startup, faults, lastFault } = info;
  const cost = startup && { time: span(startup.ms), memory: bytes(Math.max(0, startup.rssDelta)) };
  return [
    [t("plugins.fact.version"), short(version, 40)],
    [t("plugins.fact.origin"), t(`plugins.origin.${origin}`)],
    [t("plugins.fact.folder"), html`<code>${short(root, 400)}</code>`],
    [t("plugins.fact.host"), `Chela ${short(host, 60)}`],
    [t("plugins.fact.section"), html`<code>${short(section, 200)}</code>`],
    [t("plugins.fact.start"), cost ? t("plugins.fact.start.value", cost) : t("plugins.fact.start.none")],
    [
      t("plugins.fact.faults"),
      faults === 0 ? t("plugins.fact.faults.none") : html`<span class="badge bad">${faults}</span>`,
    ],
    ...(lastFault === null
      ? []
      : [
          [
            t("plugins.fact.lastFault"),
            html`${t("plugins.fact.lastFault.value", { where: short(lastFault.where, 100), ago: ago(lastFault.at) })}<br /><code>${short(lastFault.message, 2000)}</code>`,
          ] as const,
        ]),
  ];
}

function needs(list: readonly PluginNeed[]): unknown {
  return html`<div class="scroll"><table>
    <thead><tr><th>${t("plugins.needs.service")}</th><th>${t("plugins.needs.range")}</th><th>${t("plugins.needs.from")}</th></tr></thead>
    <tbody>${list.map(
      (need) => html`<tr>
        <td class="mono">${short(need.service, 80)}</td><td class="mono">${short(need.range, 60)}</td>
        <td>${source(need)} ${need.optional ? html`<span class="badge">${t("plugins.needs.optional")}</span>` : ""}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

function source({ missing, offered, optional, provider }: PluginNeed): unknown {
  if (!missing) return pluginLink(provider ?? offered?.id ?? "");
  const why = offered ? t("plugins.needs.wrongVersion", offered) : t("plugins.needs.nobody");
  if (optional) return html`<span class="muted">${why}</span>`;
  return html`<span class="badge bad">${t("plugins.needs.missing")}</span> ${why}`;
}

function users({ usedBy }: PluginInfo, service: string): unknown {
  const ids = [...new Set(usedBy.filter((user) => user.service === service).map(({ id }) => id))];
  return ids.length === 0 ? "–" : ids.map((id, index) => html`${index > 0 ? ", " : ""}${pluginLink(id)}`);
}

/** The host's own services come from no plugin. */
function pluginLink(id: string): unknown {
  return id === "kernel" || id === "" ? "Chela" : html`<a href=${href("plugins", id)}>${id}</a>`;
}
