/** Installs the package of a server, and shows what the installer says meanwhile. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { gateway } from "../../client/gateway.ts";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";

const installMs = 11 * 60_000;
const keptLines = 200;

@customElement("mcp-install")
export class Install extends Part {
  static override styles = [
    ...Part.styles,
    css`
      pre { max-height: 12rem; overflow: auto; margin: 0.5rem 0 0; padding: 0.5rem; background: var(--surface); border-radius: var(--radius-s); white-space: pre-wrap; overflow-wrap: anywhere; }
    `,
  ];

  @property() pack = "";
  @property() installer = "";
  @state() private busy = false;
  @state() private lines: readonly string[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    this.untilGone(
      gateway.on(["mcp_install"], ({ package: name, line, state }) => {
        if (name !== this.pack) return;
        // Also when somebody else began it.
        this.busy = state === "started" || state === "running";
        if (state === "done") this.dispatchEvent(new Event("done"));
        if (typeof line === "string") this.lines = [...this.lines, line].slice(-keptLines);
      }),
    );
  }

  override render() {
    return html`<button class="small" ?disabled=${this.busy} @click=${this.install}>
        ${this.busy ? t("mcp.installing", { name: this.pack }) : t("mcp.install", { name: this.pack, installer: this.installer })}
      </button>
      ${this.lines.length > 0 ? html`<pre role="log" tabindex="0" aria-label=${t("mcp.install.log")}>${plain(this.lines.join("\n"))}</pre>` : ""}`;
  }

  private async install(): Promise<void> {
    this.busy = true;
    this.lines = [];
    try {
      await call("mcp.install", { package: this.pack, installer: this.installer }, { timeout: installMs });
      toast(t("mcp.installed", { name: this.pack }), "ok");
    } catch (error) {
      toastError(error);
    }
    this.busy = false;
  }
}
