/** The page of the config: its text, forms of its sections, and the versions it had. */
import { css, html, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { href, type Place } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { toastError } from "../../parts/toast.ts";
import "./backups-tab.ts";
import "./text-tab.ts";

const tabs = ["text", "sections", "backups"] as const;

@customElement("chela-page-config")
export class ConfigPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { height: 100%; }
      .page { display: flex; flex-direction: column; min-height: 100%; height: 100%; padding-bottom: 1rem; box-sizing: border-box; }
      .scrolls { height: auto; }
      nav { display: flex; gap: 0.3rem; }
    `,
  ];

  @property({ attribute: false }) place?: Place;

  /** The forms load with the first look at them, and stay with what was typed. */
  @state() private formsSeen = false;

  override willUpdate(): void {
    if (this.formsSeen || this.place?.rest[0] !== "sections") return;
    void import("./sections-tab.ts").then(() => {
      this.formsSeen = true;
    }, toastError);
  }

  override render() {
    const [chosen, id = ""] = this.place?.rest ?? [];
    const tab = tabs.find((one) => one === chosen) ?? "text";
    return html`<div class="page ${tab === "text" ? "" : "scrolls"}">
      <header>
        <h1>${t("config.title")}</h1>
        <nav aria-label=${t("config.tabs")}>${tabs.map((one) => link(one, one === tab))}</nav>
      </header>
      <chela-config-text ?hidden=${tab !== "text"}></chela-config-text>
      ${this.formsSeen ? html`<chela-config-sections ?hidden=${tab !== "sections"} .chosen=${tab === "sections" ? id : ""}></chela-config-sections>` : ""}
      ${tab === "backups" ? html`<chela-config-backups .opened=${id}></chela-config-backups>` : ""}
    </div>`;
  }
}

function link(tab: (typeof tabs)[number], isCurrent: boolean): TemplateResult {
  const address = tab === "text" ? href("config") : href("config", tab);
  return html`<a class="button ${isCurrent ? "primary" : ""}" href=${address} aria-current=${ifDefined(isCurrent ? "page" : undefined)}>${t(`config.tab.${tab}`)}</a>`;
}
