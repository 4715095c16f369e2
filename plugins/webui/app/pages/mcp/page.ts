/** The MCP servers that the gateway is a client of: what each does, its tools, and what brings it back. */
import { html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { address } from "../../client/address.ts";
import { call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import { copy } from "../../parts/clipboard.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { toast, toastError } from "../../parts/toast.ts";
import type { Listing, Server } from "./server.ts";
import "./server-card.ts";
import "./server-dialog.ts";

const events = ["mcp_server_up", "mcp_server_down", "mcp_tools_changed", "config_changed"];

@customElement("chela-page-mcp")
export class McpPage extends Part {
  @state() private edited: Server | "new" | undefined;
  private readonly listing: Load<Listing> = new Load(this, (signal) => call<Listing>("mcp.list", {}, { signal }), {
    events,
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.requestUpdate());
  }

  override render() {
    return html`<div class="page">
      <header>
        <h1>${t("mcp.title")}</h1>
        <div class="row">
          <button @click=${() => this.listing.again()}><ui-icon name="refresh-cw"></ui-icon>${t("ui.reload")}</button>
          ${
            session.can("admin")
              ? html`<button class="primary" @click=${() => this.edit("new")}><ui-icon name="plus"></ui-icon>${t("mcp.add")}</button>`
              : ""
          }
        </div>
      </header>
      ${this.listing.show((listing) => this.content(listing))}
      <mcp-server-dialog .server=${this.edited} .taken=${this.listing.value?.servers.map(({ name }) => name) ?? []} @close=${() => this.edit(undefined)} @saved=${() => this.saved()}></mcp-server-dialog>
    </div>`;
  }

  private content({ enabled, servers, checks }: Listing): unknown {
    return html`<div class="stack">
      ${enabled ? "" : html`<div class="notice warn spread"><span>${t("mcp.off")}</span>${this.switchOn()}</div>`}
      ${servers.length === 0 ? html`<div class="card"><p>${t("mcp.none")}</p><p class="muted">${t("mcp.none.hint")}</p></div>` : ""}
      <div class="stack" role="list">
        ${repeat(
          servers,
          ({ name }) => name,
          (
            server,
          ) => html`<mcp-server-card role="listitem" .server=${server} .check=${checks.find(({ name }) => name === server.name)}
            @edit=${() => this.edit(server)} @changed=${() => this.listing.again()} @remove=${() => this.removeServer(server)}></mcp-server-card>`,
        )}
      </div>
      ${this.offered()}
    </div>`;
  }

  /** The other direction: what other programs connect to. */
  private offered(): unknown {
    const url = address("/mcp").href;
    return html`<section class="card" aria-labelledby="offered">
      <h2 id="offered">${t("mcp.offered")}</h2>
      <p class="muted">${t("mcp.offered.hint")}</p>
      <div class="row"><code class="grow">${url}</code><button class="small" @click=${() => copy(url)}><ui-icon name="copy"></ui-icon>${t("ui.copy")}</button></div>
    </section>`;
  }

  private switchOn(): unknown {
    if (!session.can("admin")) return "";
    return html`<button class="small" @click=${this.enable}>${t("mcp.switchOn")}</button>`;
  }

  private async enable(): Promise<void> {
    try {
      await call("config.set", { path: "tools.mcp.enabled", value: true });
      await this.listing.again();
    } catch (error) {
      toastError(error);
    }
  }

  private async removeServer({ name }: Server): Promise<void> {
    const sure = await confirm({ text: t("mcp.remove.sure", { name }), action: t("ui.remove"), danger: true });
    if (!sure) return;
    try {
      await call("mcp.remove", { name });
      toast(t("mcp.removed", { name }), "ok");
    } catch (error) {
      toastError(error);
    }
    await this.listing.again();
  }

  private edit(server: Server | "new" | undefined): void {
    this.edited = server;
  }

  private async saved(): Promise<void> {
    this.edit(undefined);
    await this.listing.again();
  }
}
