/** What is wrong with config and plugins, each with a way out. */
import { css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { type Key, t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { restartGateway } from "../../parts/restart.ts";
import { toast, toastError } from "../../parts/toast.ts";
import type { PluginFacts, Status } from "./facts.ts";

const most = 5;
const troubled = new Set(["failed", "quarantined", "incompatible", "waiting"]);

@customElement("dashboard-notices")
export class Notices extends Part {
  static override styles = [
    ...Part.styles,
    css`:host { display: contents; } .notice { display: flex; align-items: center; gap: 0.75rem; } .notice p { margin: 0; } .actions { display: flex; gap: 0.4rem; flex-wrap: wrap; }
      @media (max-width: 640px) { .notice { flex-direction: column; align-items: stretch; } }`,
  ];

  @property({ attribute: false }) status: Status | undefined;
  @state() private busy = "";

  override render() {
    const { status } = this;
    if (!status) return nothing;
    const plugins = status.plugins.filter(({ state, enabled }) => enabled && troubled.has(state)).sort(worstFirst);
    const rest = plugins.length - most;
    return html`${this.config(status)} ${plugins.slice(0, most).map((plugin) => this.plugin(plugin))}
      ${rest > 0 ? html`<a href=${href("plugins")}>${t("dashboard.moreNotices", { n: rest })}</a>` : nothing}`;
  }

  private config({ config: { trouble, problems }, pending }: Status) {
    const open = session.can("admin")
      ? html`<a class="button" href=${href("config")}>${t("dashboard.toConfig")}</a>`
      : nothing;
    const restarts = session.can("admin")
      ? html`<button @click=${restartGateway}>${t("ui.restart")}</button>`
      : nothing;
    const paths = short(pending.join(", "));
    return html`
      ${trouble ? notice("bad", html`<p><strong>${t("dashboard.trouble")}</strong> ${short(trouble.message)}</p>`, open) : nothing}
      ${
        problems.length > 0
          ? notice(
              "warn",
              html`<p><strong>${t("dashboard.problems", { n: problems.length })}</strong></p>
            ${problems.slice(0, most).map(({ path, message }) => html`<p class="small"><code>${short(path)}</code> ${short(message)}</p>`)}`,
              open,
            )
          : nothing
      }
      ${pending.length > 0 ? notice("info", html`<p>${t("dashboard.pending", { n: pending.length, paths })}</p>`, restarts) : nothing}`;
  }

  private plugin({ id, state, reason }: PluginFacts) {
    const release = html`<button ?disabled=${this.busy === id} @click=${() => this.release(id)}>${t("dashboard.release")}</button>`;
    const canRelease = session.can("admin") && (state === "quarantined" || state === "failed");
    return notice(
      state === "waiting" ? "warn" : "bad",
      html`<p><strong>${t(`dashboard.plugin.${state}` as Key, { plugin: short(id) })}</strong> ${short(reason)}</p>`,
      html`${canRelease ? release : nothing}<a class="button" href=${href("plugins", id)}>${t("dashboard.toPlugin")}</a>`,
    );
  }

  private async release(id: string): Promise<void> {
    this.busy = id;
    try {
      await call("plugins.release", { id });
      toast(t("dashboard.released", { plugin: id }), "ok");
    } catch (error) {
      toastError(error);
    }
    this.busy = "";
  }
}

function notice(kind: "bad" | "warn" | "info", text: unknown, actions: unknown) {
  return html`<div class="notice ${kind}"><div class="grow wrap">${text}</div><div class="actions">${actions}</div></div>`;
}

function worstFirst(a: PluginFacts, b: PluginFacts): number {
  return Number(a.state === "waiting") - Number(b.state === "waiting");
}
