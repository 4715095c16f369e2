/** Named keys: who has one, what it may do and use, what it used, and its end. */
import { css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { call } from "../../client/http.ts";
import { ago, count, dateTime, dollars } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import type { KeyRow } from "./key-row.ts";
import "./limit-key.ts";
import "./new-key.ts";

const everyMs = 30_000;
/** More than these are searched. */
const few = 8;
const tones = { active: "ok", expired: "warn", revoked: "bad" } as const;

@customElement("chela-page-keys")
export class KeysPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 0.6rem 1rem; margin: 0.8rem 0 0; }
      .facts div { min-width: 0; }
      dt { color: var(--text-2); font-size: 0.82rem; }
      dd { margin: 0; overflow-wrap: anywhere; }
      meter { width: 100%; height: 0.6rem; }
      h2 { margin: 0; }
    `,
  ];

  @state() private making = false;
  @state() private limited: KeyRow | undefined;
  @state() private wanted = "";
  private readonly rows = new Load(this, (signal) => call<KeyRow[]>("keys.list", {}, { signal }), {
    events: ["key_changed"],
    every: everyMs,
  });

  override render() {
    return html`<div class="page">
      <header>
        <div><h1>${t("keys.title")}</h1><p class="muted">${t("keys.about")}</p></div>
        <button class="primary" @click=${() => {
          this.making = true;
        }}><ui-icon name="plus"></ui-icon>${t("keys.add")}</button>
      </header>
      ${this.rows.show((rows) => this.list(rows))}
      <keys-new-key ?open=${this.making} @close=${() => {
        this.making = false;
      }} @changed=${() => this.rows.again()}></keys-new-key>
      <keys-limit-key .row=${this.limited} @close=${() => {
        this.limited = undefined;
      }} @changed=${() => this.rows.again()}></keys-limit-key>
    </div>`;
  }

  private list(rows: readonly KeyRow[]): unknown {
    if (rows.length === 0) return html`<div class="card"><p>${t("keys.none")}</p></div>`;
    const order = ["active", "expired", "revoked"];
    const sorted = [...rows].sort(
      (a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.createdAt - a.createdAt,
    );
    const wanted = this.wanted.trim().toLowerCase();
    const found = sorted.filter(({ name, prefix }) => `${name}\n${prefix}`.toLowerCase().includes(wanted));
    return html`<div class="stack">
      ${rows.length > few || wanted !== "" ? this.search() : ""}
      ${found.length === 0 ? html`<p class="muted" role="status">${t("keys.notFound")}</p>` : ""}
      ${repeat(
        found,
        ({ id }) => id,
        (row) => this.card(row),
      )}</div>`;
  }

  private search(): unknown {
    const typed = (event: Event) => {
      this.wanted = (event.target as HTMLInputElement).value;
    };
    return html`<input type="search" aria-label=${t("keys.find")} placeholder=${t("keys.find")} @input=${typed} />`;
  }

  private card(row: KeyRow): unknown {
    const title = `name-${row.id}`;
    return html`<section class="card" aria-labelledby=${title}>
      <div class="spread">
        <div class="row grow">
          <h2 id=${title} class="wrap">${short(row.name)}</h2>
          <span class="badge ${tones[row.state]}">${t(`keys.state.${row.state}`)}</span>
          ${row.scopes.map((scope) => html`<span class="badge">${scope}</span>`)}
          <code class="muted">${row.prefix}…</code>
        </div>
        ${row.state === "active" ? this.actions(row) : ""}
      </div>
      <dl class="facts">
        ${fact(t("keys.lastUsed"), row.lastUsedAt === null ? t("keys.unused") : ago(row.lastUsedAt), row.lastUsedAt)}
        ${fact(t("keys.created"), t("keys.createdBy", { when: ago(row.createdAt), who: short(row.createdBy) }), row.createdAt)}
        ${row.state === "revoked" && row.revokedAt !== null ? fact(t("keys.revokedAt"), ago(row.revokedAt), row.revokedAt) : fact(t("keys.expires"), row.expiresAt === null ? t("keys.never") : ago(row.expiresAt), row.expiresAt)}
        ${usage(row)}
      </dl>
    </section>`;
  }

  private actions(row: KeyRow): unknown {
    return html`<div class="row tight">
      <button class="small" @click=${() => {
        this.limited = row;
      }}><ui-icon name="sliders-horizontal"></ui-icon>${t("keys.change")}</button>
      <button class="small danger" @click=${() => this.revoke(row)}><ui-icon name="trash-2"></ui-icon>${t("keys.revoke")}</button>
    </div>`;
  }

  private async revoke({ id, name }: KeyRow): Promise<void> {
    const sure = await confirm({ text: t("keys.revoke.sure", { name }), action: t("keys.revoke"), danger: true });
    if (!sure) return;
    try {
      await call("keys.revoke", { id });
      toast(t("keys.revoked", { name }), "ok");
    } catch (error) {
      toastError(error);
    }
    await this.rows.again();
  }
}

function fact(name: string, value: unknown, at: number | null = null): unknown {
  return html`<div><dt>${name}</dt><dd title=${at === null ? "" : dateTime(at)}>${value}</dd></div>`;
}

/** What was used of each limit in this day or month. */
function usage({ limits, spent, remaining }: KeyRow): unknown {
  const period = limits.period === "day" ? t("keys.period.day") : t("keys.period.month");
  const name = (what: string) => `${what} · ${period}`;
  return html`
    ${fact(
      name(t("keys.tokens")),
      part(limits.tokens, spent?.tokens, (value) => count(value)),
    )}
    ${fact(name(t("keys.usd")), part(limits.usd, spent?.cost, dollars))}
    ${limits.rpm === null ? "" : fact(t("keys.rpm"), t("keys.left", { left: remaining.rpm ?? limits.rpm, of: limits.rpm }))}
  `;
}

function part(limit: number | null, used: number | undefined, shown: (value: number) => string): unknown {
  if (limit === null) return used === undefined ? t("keys.unlimited") : shown(used);
  const text = t("keys.used", { used: shown(used ?? 0), of: shown(limit) });
  return html`${text}<meter min="0" max=${limit} high=${limit * 0.8} value=${used ?? 0} aria-label=${text}></meter>`;
}
