/** The command palette: Ctrl K, a few letters, Enter. Pages and what the open page offers as commands. */
import { css, html } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { panels } from "../client/panels.ts";
import { href, router } from "../client/router.ts";
import { languages, localeNames, locales, t } from "../i18n/locale.ts";
import "../parts/icon.ts";
import { Part } from "../parts/part.ts";
import { panelTitle } from "./navigation.ts";
import { chooseTheme, themes } from "./theme.ts";

interface Command {
  readonly name: string;
  readonly icon: string;
  run(): void;
}

@customElement("chela-palette")
export class Palette extends Part {
  static override styles = [
    ...Part.styles,
    css`
      dialog { width: min(34rem, calc(100vw - 2rem)); margin-top: 12vh; padding: 0; border: 1px solid var(--border); border-radius: var(--radius); background: var(--surface); color: var(--text); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(0 0 0 / 40%); }
      input { border: 0 !important; border-bottom: 1px solid var(--border) !important; border-radius: 0 !important; min-height: 3rem !important; padding: 0 1rem !important; }
      ul { list-style: none; margin: 0; padding: 0.4rem; max-height: 50vh; overflow: auto; }
      li { display: flex; gap: 0.6rem; align-items: center; padding: 0.5rem 0.7rem; border-radius: var(--radius-s); cursor: pointer; }
      li[aria-selected="true"] { background: var(--accent-soft); color: var(--accent); }
    `,
  ];

  @state() private words = "";
  @state() private at = 0;
  @query("dialog") private dialog?: HTMLDialogElement;
  @query("input") private input?: HTMLInputElement;

  show(): void {
    this.words = "";
    this.at = 0;
    if (this.input) this.input.value = "";
    this.dialog?.showModal();
  }

  override render() {
    const found = this.found();
    return html`<dialog aria-label=${t("palette.title")} @click=${(event: Event) => event.target === this.dialog && this.dialog?.close()}>
      <input role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant="c${this.at}" aria-label=${t("palette.title")}
        placeholder=${t("palette.hint")} maxlength="200" autocomplete="off" @input=${this.typed} @keydown=${(event: KeyboardEvent) => this.key(event, found)} />
      <ul id="found" role="listbox" aria-label=${t("palette.title")}>
        ${found.map(
          (
            command,
            index,
          ) => html`<li id="c${index}" role="option" aria-selected=${index === this.at} @click=${() => this.run(command)} @pointermove=${() => {
            this.at = index;
          }}>
            <ui-icon name=${command.icon}></ui-icon><span>${command.name}</span>
          </li>`,
        )}
      </ul>
      ${found.length === 0 ? html`<p class="muted" role="status">&emsp;${t("palette.none")}</p>` : ""}
    </dialog>`;
  }

  private found(): Command[] {
    const words = this.words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return commands().filter(({ name }) => words.every((word) => name.toLocaleLowerCase().includes(word)));
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
    this.at = 0;
  }

  private key(event: KeyboardEvent, found: readonly Command[]): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    const command = found[this.at];
    if (step !== 0) this.at = (this.at + step + found.length) % Math.max(1, found.length);
    else if (event.key === "Enter" && !event.isComposing && command) this.run(command);
    else return;
    event.preventDefault();
  }

  private run(command: Command): void {
    this.dialog?.close();
    command.run();
  }
}

function commands(): Command[] {
  const pages = (panels.list ?? []).map((panel) => ({
    name: t("palette.go", { page: panelTitle(panel) }),
    icon: panel.icon,
    run: () => router.go(href(panel.id)),
  }));
  const looks = themes.map((theme) => ({
    name: `${t("app.theme")}: ${t(`app.theme.${theme}`)}`,
    icon: "sun",
    run: () => chooseTheme(theme),
  }));
  const tongues = locales.map((locale) => ({
    name: `${t("app.language")}: ${localeNames[locale]}`,
    icon: "languages",
    run: () => void languages.choose(locale),
  }));
  return [...pages, ...looks, ...tongues];
}
