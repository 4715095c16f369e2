/** `<chela-config-sections>`: a form for each section of the config. What was typed into one stays while another is open. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { href, router } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import "../../parts/settings-form.ts";
import { readSections, type Section } from "./sections.ts";

@customElement("chela-config-sections")
export class ConfigSectionsTab extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .choose { display: flex; align-items: center; gap: 0.6rem; margin-bottom: 1rem; max-width: 30rem; }
      .choose select { flex: 1; min-width: 0; }
    `,
  ];

  /** Dotted path of the section that is shown. */
  @property() chosen = "";
  @state() private opened: readonly string[] = [];
  readonly #sections = new Load(this, readSections, { events: ["generation", "config_changed"] });

  override willUpdate(): void {
    const path = this.current(this.#sections.value ?? [])?.path;
    if (path !== undefined && !this.opened.includes(path)) this.opened = [...this.opened, path];
  }

  override render() {
    return this.#sections.show((sections) => {
      const current = this.current(sections);
      return html`<div class="choose">
          <label for="section">${t("config.section")}</label>
          <select id="section" @change=${this.choose}>
            ${sections.map(({ path }) => html`<option value=${path} ?selected=${path === current?.path}>${path}</option>`)}
          </select>
        </div>
        ${repeat(
          sections.filter(({ path }) => this.opened.includes(path)),
          ({ path }) => path,
          (section) => form(section, section === current),
        )}`;
    });
  }

  private current(sections: readonly Section[]): Section | undefined {
    return sections.find(({ path }) => path === this.chosen) ?? sections.find(({ path }) => path === "gateway");
  }

  private choose(event: Event): void {
    router.go(href("config", "sections", (event.target as HTMLSelectElement).value));
  }
}

function form({ path, owner, schema, hot, value }: Section, isShown: boolean): unknown {
  const restarts = owner === "gateway" ? "gateway" : "plugin";
  return html`<ui-settings-form ?hidden=${!isShown} path=${path} .schema=${schema} .hot=${hot} .effective=${value} restarts=${restarts}></ui-settings-form>`;
}
