/** The accounts of a provider: whose they are, until when their tokens hold, and what brings one back. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call, post } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { ago, dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/icon.ts";
import { Minutes } from "../../parts/minutes.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import { type Account, type Provider, usesAccounts } from "./shapes.ts";
import { ask } from "./wish.ts";
import { accountName, untilText } from "./wording.ts";

const renewMs = 90_000;

@customElement("provider-accounts")
export class AccountsTab extends Part {
  static override styles = [
    ...Part.styles,
    css`
      h2 { margin: 0; }
      .spread > .grow { flex-basis: 14rem; }
      dl { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; margin: 0; }
      dl div { min-width: 0; }
      dt { color: var(--text-2); font-size: 0.82rem; }
      dd { margin: 0; overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) provider?: Provider;
  /** The files of the accounts that something is being done to. */
  @state() private busy: ReadonlySet<string> = new Set();

  constructor() {
    super();
    new Minutes(this);
  }

  override render() {
    const { provider } = this;
    if (provider === undefined) return "";
    const accounts = provider.accounts ?? [];
    return html`<div class="stack">
      ${accounts.length === 0 ? html`<p class="notice">${t("providers.accounts.none")}</p>` : ""}
      <div class="stack" role="list">${accounts.map((account) => this.card(account))}</div>
      ${
        session.can("admin") && usesAccounts(provider)
          ? html`<div class="row"><button @click=${() => ask(this, "login", provider.name)}><ui-icon name="plus"></ui-icon>${t(accounts.length === 0 ? "providers.login" : "providers.login.more")}</button></div>`
          : ""
      }
    </div>`;
  }

  private card(account: Account): unknown {
    const { credential_file: file, expire, last_refresh: renewed, health_score: health } = account;
    const name = accountName(account);
    return html`<div class="card stack" role="listitem" aria-label=${name}>
      <div class="spread"><div class="row grow"><h2 class="wrap">${name}</h2>${states(account)}</div>
        ${session.can("admin") && file !== "" ? this.actions(account, name) : ""}</div>
      ${account.disable_reason ? html`<p class="notice bad">${short(account.disable_reason, 400)}</p>` : ""}
      <dl>
        ${expire ? fact(t("providers.account.expires"), ago(expire), dateTime(expire)) : ""}
        ${renewed ? fact(t("providers.account.renewed"), ago(renewed), dateTime(renewed)) : ""}
        ${health === undefined ? "" : fact(t("providers.account.health"), `${Math.round(health)} / 100`)}
        ${account.plan_type ? fact(t("providers.account.plan"), short(account.balance_label || account.plan_type, 60)) : ""}
        ${account.network_proxy ? fact(t("providers.account.proxy"), short(account.network_proxy, 120)) : ""}
      </dl>
    </div>`;
  }

  private actions(account: Account, name: string): unknown {
    const { credential_file: file } = account;
    const isBusy = this.busy.has(file);
    const rests = isLater(account.cooldown_until);
    return html`<div class="row tight">
      <button class="small" ?disabled=${isBusy} aria-label=${t("providers.account.renew.one", { name })} @click=${() => this.renew(account)}><ui-icon name="refresh-cw"></ui-icon>${isBusy ? t("providers.account.renewing") : t("providers.account.renew")}</button>
      ${rests ? html`<button class="small" ?disabled=${isBusy} @click=${() => this.clear(account)}>${t("providers.clear")}</button>` : ""}
      <button class="small danger" ?disabled=${isBusy} aria-label=${t("providers.account.remove.one", { name })} @click=${() => this.removeAccount(account)}><ui-icon name="trash-2"></ui-icon>${t("ui.remove")}</button>
    </div>`;
  }

  private renew(account: Account): Promise<void> {
    const params = { provider: this.provider?.name, credential_file: account.credential_file };
    return this.attempt(account, async () => {
      await call("provider.oauth.refresh", params, { timeout: renewMs });
      toast(t("providers.account.renewed.done", { name: accountName(account) }), "ok");
    });
  }

  private clear(account: Account): Promise<void> {
    const { credential_file: file } = account;
    const path = `/api/provider/oauth/accounts?provider=${encodeURIComponent(this.provider?.name ?? "")}`;
    return this.attempt(account, () => post(path, { action: "clear_cooldown", credential_file: file }));
  }

  private async removeAccount(account: Account): Promise<void> {
    const name = accountName(account);
    const sure = await confirm({
      text: t("providers.account.remove.sure", { name }),
      action: t("ui.remove"),
      danger: true,
    });
    if (!sure) return;
    const params = { provider: this.provider?.name, credential_file: account.credential_file };
    await this.attempt(account, async () => {
      await call("provider.oauth.remove", params);
      toast(t("providers.removed", { name }), "ok");
    });
  }

  private async attempt({ credential_file: file }: Account, work: () => Promise<unknown>): Promise<void> {
    this.busy = new Set([...this.busy, file]);
    try {
      await work();
    } catch (error) {
      toastError(error);
    }
    this.busy = new Set([...this.busy].filter((one) => one !== file));
    ask(this, "changed");
  }
}

function states(account: Account): unknown {
  const { disabled, cooldown_until: rest, expire } = account;
  if (disabled) return html`<span class="badge bad">${t("providers.account.disabled")}</span>`;
  if (rest !== undefined && isLater(rest))
    return html`<span class="badge warn">${t("providers.account.rests")} · ${untilText(Date.parse(rest))}</span>`;
  if (expire !== undefined && !isLater(expire))
    return html`<span class="badge warn">${t("providers.account.expired")}</span>`;
  return html`<span class="badge ok">${t("providers.account.ready")}</span>`;
}

function isLater(date: string | undefined): boolean {
  return date !== undefined && Date.parse(date) > Date.now();
}

function fact(name: string, value: string, title = ""): unknown {
  return html`<div><dt>${name}</dt><dd title=${title}>${value}</dd></div>`;
}
