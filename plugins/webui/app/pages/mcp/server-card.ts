/** One MCP server: its state and why, its tools, and the ways to bring it back. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { type Key, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import "./install.ts";
import type { Check, Server } from "./server.ts";
import "./server-tools.ts";

const tones: Readonly<Record<Server["state"], string>> = {
  disabled: "",
  idle: "info",
  starting: "info",
  up: "ok",
  waiting: "warn",
  failed: "bad",
};

/** A test that failed says so; a restart that fails is refused. */
type Answer = Server & { readonly ok?: boolean };

@customElement("mcp-server-card")
export class ServerCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      mcp-server-tools, details p { margin: 0.5rem 0 0; }
      .spread > .grow { flex-basis: 14rem; }
      h2 { margin: 0; }
    `,
  ];

  @property({ attribute: false }) server?: Server;
  @property({ attribute: false }) check?: Check;
  @state() private busy: "" | "restart" | "test" = "";
  @state() private open = false;

  override render() {
    const { server } = this;
    if (server === undefined) return "";
    return html`<section class="card stack" aria-labelledby="name">
      <div class="spread">
        <div class="row grow">
          <h2 id="name" class="wrap">${short(server.name)}</h2>
          <span class="badge ${tones[server.state]}">${t(`mcp.state.${server.state}` as Key)}</span>
          <span class="badge">${server.transport}</span>
        </div>
        ${this.actions(server)}
      </div>
      ${server.description ? html`<p class="wrap">${short(server.description, 1000)}</p>` : ""}
      ${server.reason ? html`<p class="notice ${server.state === "failed" ? "bad" : "warn"}">${short(server.reason, 2000)}</p>` : ""}
      ${this.missing()}
      ${this.facts(server)} ${this.tools(server)}
    </section>`;
  }

  private actions({ state }: Server): unknown {
    const off = this.busy !== "" || state === "disabled";
    const admin = session.can("admin");
    if (!session.can("write")) return "";
    return html`<div class="row tight">
      <button class="small" ?disabled=${off} @click=${() => this.run("test")}><ui-icon name="activity"></ui-icon>${t("mcp.test")}</button>
      <button class="small" ?disabled=${off} @click=${() => this.run("restart")}><ui-icon name="rotate-ccw"></ui-icon>${t("mcp.restart")}</button>
      ${
        admin
          ? html`<button class="small" @click=${() => this.tell("edit")}><ui-icon name="pencil"></ui-icon>${t("ui.edit")}</button>
            <button class="small danger" @click=${() => this.tell("remove")}><ui-icon name="trash-2"></ui-icon>${t("ui.remove")}</button>`
          : ""
      }
    </div>`;
  }

  /** The reason says already that its command is not there. */
  private missing(): unknown {
    const { check } = this;
    if (check?.status !== "missing_command") return "";
    if (!check.installable || !session.can("admin")) return "";
    return html`<mcp-install .pack=${check.package} .installer=${check.installer} @done=${() => this.tell("changed")}></mcp-install>`;
  }

  private facts({ remote, protocol, pid, restarts }: Server): unknown {
    const facts = [remote, protocol && t("mcp.protocol", { protocol }), pid && t("mcp.pid", { pid: String(pid) })];
    if (restarts > 0) facts.push(t("mcp.restarts", { n: restarts }));
    const told = short(facts.filter(Boolean).join(" · "));
    return told === "" ? "" : html`<p class="small muted wrap">${told}</p>`;
  }

  private tools({ tools, refused }: Server): unknown {
    if (tools.length + refused.length === 0) return "";
    return html`<details @toggle=${this.toggle}>
      <summary>${t("mcp.tools", { n: tools.length })}${refused.length > 0 ? ` · ${t("mcp.refused", { n: refused.length })}` : ""}</summary>
      ${this.open ? html`<mcp-server-tools .names=${tools} label=${t("mcp.tools", { n: tools.length })}></mcp-server-tools>` : ""}
      ${refused.map(({ tool, reason }) => html`<p class="small wrap"><code>${short(tool)}</code> ${short(reason)}</p>`)}
    </details>`;
  }

  private toggle(event: Event): void {
    this.open = (event.target as HTMLDetailsElement).open;
  }

  private async run(action: "restart" | "test"): Promise<void> {
    const name = this.server?.name ?? "";
    this.busy = action;
    try {
      const { tools, reason, ok = true } = await call<Answer>(`mcp.${action}`, { name }, { timeout: 120_000 });
      if (ok) toast(t("mcp.answered", { name, n: tools.length }), "ok");
      else toast(t("mcp.failed", { name, reason: short(reason, 200) }), "bad");
    } catch (error) {
      toastError(error);
    }
    this.busy = "";
    this.tell("changed");
  }

  private tell(what: "edit" | "remove" | "changed"): void {
    this.dispatchEvent(new Event(what));
  }
}
