/** What can be done about the gateway from here: look at its health now, read its config again, restart it. */
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { restartGateway } from "../../parts/restart.ts";
import { toast, toastError } from "../../parts/toast.ts";
import "./checks.ts";

@customElement("dashboard-actions")
export class Actions extends Part {
  @state() private busy: "" | "restart" | "reload" = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.requestUpdate());
  }

  override render() {
    const { busy } = this;
    return html`<div class="row">
      <dashboard-checks></dashboard-checks>
      ${
        session.can("admin")
          ? html`<button ?disabled=${busy !== ""} @click=${() => this.run("reload", reload)}>
              <ui-icon name="refresh-cw"></ui-icon>${t(busy === "reload" ? "dashboard.reload.busy" : "dashboard.reload")}</button>
            <button ?disabled=${busy !== ""} @click=${() => this.run("restart", restartGateway)}>
              <ui-icon name="rotate-ccw"></ui-icon>${t(busy === "restart" ? "ui.restart.busy" : "ui.restart")}</button>`
          : nothing
      }
    </div>`;
  }

  private async run(what: "restart" | "reload", action: () => Promise<void>): Promise<void> {
    this.busy = what;
    await action().catch(toastError);
    this.busy = "";
  }
}

async function reload(): Promise<void> {
  const { changed = [] } = await call<{ changed?: readonly string[] }>("config.reload");
  if (changed.length === 0) toast(t("dashboard.reload.same"));
  else toast(t("dashboard.reload.done", { paths: short(changed.join(", ")) }), "ok");
}
