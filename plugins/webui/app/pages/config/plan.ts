/** What a change would take, and what it did, in words. */
import { html } from "lit";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { plain } from "../../parts/plain.ts";
import type { ChangeResult, PlannedChange } from "./api.ts";

const order = ["hot", "restart-plugin", "restart-gateway", "none"] as const;
const icons = { hot: "zap", "restart-plugin": "refresh-cw", "restart-gateway": "power", none: "info" } as const;
const mostPaths = 30;

interface Group {
  readonly class: PlannedChange["class"];
  readonly owner: string;
  readonly paths: readonly string[];
}

/** What applies at once first; a plugin that restarts has one row. */
export function groupsOf(changes: readonly PlannedChange[]): readonly Group[] {
  const groups = new Map<string, Group & { readonly paths: string[] }>();
  for (const { class: kind, owner, path } of changes) {
    const key = kind === "restart-plugin" ? `${kind} ${owner}` : kind;
    const group = groups.get(key) ?? { class: kind, owner, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => order.indexOf(a.class) - order.indexOf(b.class));
}

/** In one line: `2 keys apply at once, restarts chat`. */
export function planLine(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return t("config.plan.nothing");
  return groupsOf(changes)
    .map(({ class: kind, owner, paths }) => t(`config.plan.short.${kind}`, { n: paths.length, plugin: plain(owner) }))
    .join(t("config.plan.and"));
}

export function planList(changes: readonly PlannedChange[]): unknown {
  if (changes.length === 0) return html`<p>${t("config.plan.nothing")}</p>`;
  return html`<ul class="plan">
    ${groupsOf(changes).map(
      ({ class: kind, owner, paths }) => html`<li>
        <ui-icon name=${icons[kind]}></ui-icon>
        <div class="grow"><strong>${t(`config.plan.${kind}`, { plugin: plain(owner) })}</strong> ${pathList(paths)}</div>
      </li>`,
    )}
  </ul>`;
}

/** What a change did. */
export function resultList({ applied, restarted, pending, failed }: ChangeResult): unknown {
  const rows = [
    { name: t("config.result.applied"), paths: applied },
    { name: t("config.result.restarted"), paths: restarted },
    { name: t("config.result.pending"), paths: pending },
  ].filter(({ paths }) => paths.length > 0);
  return html`${rows.map(({ name, paths }) => html`<div>${name} ${pathList(paths)}</div>`)}
    ${failed.map(({ id, reason }) => html`<div class="error">${plain(id)}: ${plain(reason)}</div>`)}
    ${rows.length === 0 && failed.length === 0 ? html`<div>${t("config.result.nothing")}</div>` : ""}`;
}

export function pathList(paths: readonly string[]): unknown {
  const rest = paths.length - mostPaths;
  return html`${paths.slice(0, mostPaths).map((path, index) => html`${index > 0 ? ", " : ""}<code>${plain(path)}</code>`)}
    ${rest > 0 ? t("config.plan.more", { n: rest }) : ""}`;
}
