/** The tools of one server: the names that agents know them by, and what models read of each. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";

interface Tool {
  readonly name: string;
  readonly about: string;
  readonly risk: string;
}

@customElement("mcp-server-tools")
export class ServerTools extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ul { list-style: none; margin: 0; padding: 0; max-height: 24rem; overflow: auto; }
      li { padding: 0.4rem 0; border-top: 1px solid var(--border); }
      li:first-child { border-top: 0; }
      p { margin: 0.15rem 0 0; }
    `,
  ];

  /** In order. */
  @property({ attribute: false }) names: readonly string[] = [];
  @property() label = "";
  readonly #known = new Load(this, (signal) => call<readonly Tool[]>("tools.list", {}, { signal }), {
    events: ["tools_changed"],
  });

  override render() {
    // Without the plugin of tools nothing is known of them but their names.
    const known = new Map(this.#known.value?.map((tool) => [tool.name, tool]));
    return html`<ul tabindex="0" aria-label=${this.label}>${this.names.map((name) => row(name, known.get(name)))}</ul>`;
  }
}

function row(name: string, tool: Tool | undefined): unknown {
  return html`<li><code>${short(name)}</code> ${tool?.risk === "read" ? html`<span class="badge">${t("mcp.tool.read")}</span>` : ""}
    ${tool ? html`<p class="small muted wrap">${short(tool.about, 400)}</p>` : ""}</li>`;
}
