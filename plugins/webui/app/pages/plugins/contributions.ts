/** What a plugin registered, with the access that each part demands, and what its hooks cost. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { href } from "../../client/router.ts";
import { count, millis } from "../../i18n/formats.ts";
import { type Key, t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { PluginInfo } from "./shapes.ts";

interface Table {
  readonly title: Key;
  readonly heads: readonly Key[];
  readonly rows: readonly (readonly unknown[])[];
}

@customElement("plugin-contributions")
export class PluginContributions extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); align-items: start; }
      .scroll { max-height: 26rem; }
      td:first-child { overflow-wrap: anywhere; min-width: 9.5rem; }
    `,
  ];

  @property({ attribute: false }) info!: PluginInfo;

  override render() {
    const tables = [...doors(this.info), hooks(this.info), ...rest(this.info)].filter(({ rows }) => rows.length > 0);
    if (tables.length > 0) return tables.map(section);
    return html`<p class="muted">${this.info.state === "running" ? t("plugins.contributions.nothing") : t("plugins.contributions.none")}</p>`;
  }
}

function section({ title, heads, rows }: Table): unknown {
  const isNumber = (head: Key) =>
    ["plugins.c.calls", "plugins.c.errors", "plugins.c.each", "plugins.c.total"].includes(head);
  return html`<section class="card"><h2>${t(title)} <span class="muted">${rows.length}</span></h2>
    <div class="scroll" tabindex="0" role="group" aria-label=${t(title)}><table>
      <thead><tr>${heads.map((head) => html`<th class=${isNumber(head) ? "number" : ""}>${t(head)}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${row.map((cell, index) => html`<td class=${isNumber(heads[index] as Key) ? "number" : ""}>${cell}</td>`)}</tr>`)}</tbody>
    </table></div></section>`;
}

function doors({ contributions }: PluginInfo): readonly Table[] {
  const { routes, streams, methods, tools, commands, panels, statics } = contributions;
  const named = (list: readonly { readonly name: string; readonly access: string }[]) =>
    list.map(({ name, access }) => [code(name), badge(access)]);
  const placed = (list: readonly { readonly path: string; readonly access: string }[]) =>
    list.map(({ path, access }) => [code(path), badge(access)]);
  return [
    {
      title: "plugins.c.routes",
      heads: ["plugins.c.path", "plugins.c.method", "plugins.c.access"],
      rows: routes.map(({ path, method, access }) => [code(path), method, badge(access)]),
    },
    { title: "plugins.c.streams", heads: ["plugins.c.path", "plugins.c.access"], rows: placed(streams) },
    { title: "plugins.c.methods", heads: ["plugins.c.name", "plugins.c.access"], rows: named(methods) },
    {
      title: "plugins.c.tools",
      heads: ["plugins.c.name", "plugins.c.risk", "plugins.c.access"],
      rows: tools.map(({ name, risk, access }) => [code(name), risk, badge(access)]),
    },
    { title: "plugins.c.commands", heads: ["plugins.c.name", "plugins.c.access"], rows: named(commands) },
    {
      title: "plugins.c.panels",
      heads: ["plugins.c.name", "plugins.c.access"],
      rows: panels.map(({ id, title, access }) => [html`<a href=${href(id)}>${short(title, 80)}</a>`, badge(access)]),
    },
    { title: "plugins.c.statics", heads: ["plugins.c.path", "plugins.c.access"], rows: placed(statics) },
  ];
}

function hooks({ hooks: list }: PluginInfo): Table {
  return {
    title: "plugins.c.hooks",
    heads: ["plugins.c.name", "plugins.c.calls", "plugins.c.errors", "plugins.c.each", "plugins.c.total"],
    rows: list.map(({ hook, calls, errors, ms }) => [
      code(hook),
      count(calls, false),
      errors > 0 ? html`<span class="badge bad">${count(errors, false)}</span>` : "0",
      calls === 0 ? "–" : millis(ms / calls),
      millis(ms),
    ]),
  };
}

function rest({ contributions }: PluginInfo): readonly Table[] {
  return [
    { title: "plugins.c.health", heads: ["plugins.c.name"], rows: contributions.health.map((name) => [code(name)]) },
  ];
}

function code(text: string): unknown {
  return html`<code>${short(text, 200)}</code>`;
}

function badge(access: string): unknown {
  return html`<span class="badge ${access === "public" ? "warn" : ""}">${access}</span>`;
}
