/** `<chat-reply>`: what came back: text, thoughts, calls of tools, in their order; and what it took. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { clock, count, dateTime, dollars } from "../../../i18n/formats.ts";
import { t } from "../../../i18n/locale.ts";
import { copy } from "../../../parts/clipboard.ts";
import "../../../parts/icon.ts";
import "../../../parts/markdown.ts";
import { Part } from "../../../parts/part.ts";
import { plain } from "../../../parts/plain.ts";
import { type Block, replyText } from "../model/blocks.ts";
import type { ReplyEntry } from "../model/entries.ts";
import { LiveTurn } from "../model/live-turn.ts";
import { act } from "./acts.ts";
import "./reasoning.ts";
import "./tool-call.ts";

@customElement("chat-reply")
export class ReplyMessage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { min-width: 0; }
      .acts { display: flex; align-items: center; gap: 0.1rem; color: var(--text-2); min-height: 1.8rem; font-size: 0.8rem; flex-wrap: wrap; }
      .acts button { color: var(--text-2); }
      .facts { padding: 0 0.5rem; overflow-wrap: anywhere; }
      .steered { margin: 0.6rem 0 0.6rem auto; width: fit-content; max-width: 85%; padding: 0.45rem 0.8rem; border-radius: 14px 14px 4px 14px; background: var(--accent-soft); white-space: pre-wrap; overflow-wrap: anywhere; }
      .dots { display: inline-flex; gap: 0.3rem; padding: 0.4rem 0; }
      .dots i { width: 0.45rem; height: 0.45rem; border-radius: 50%; background: var(--text-2); animation: beat 1.2s infinite; }
      .dots i:nth-child(2) { animation-delay: 0.2s; } .dots i:nth-child(3) { animation-delay: 0.4s; }
      @keyframes beat { 0%, 60%, 100% { opacity: 0.25; } 30% { opacity: 1; } }
    `,
  ];

  @property({ attribute: false }) entry!: ReplyEntry;
  /** Nothing was said after it. */
  @property({ type: Boolean }) last = false;
  @property({ type: Boolean }) readonly = false;
  #live: LiveTurn | undefined;
  #frame: number | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.follow(undefined);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("entry") && this.#live !== undefined) return;
    const { reply } = this.entry;
    this.follow(reply instanceof LiveTurn && this.isConnected ? reply : undefined);
  }

  override render() {
    const { blocks, isRunning, error, state } = this.entry.reply;
    const last = blocks.length - 1;
    return html`<h3 class="visually-hidden">${t("chat.reply")}</h3>
      ${repeat(
        keyed(blocks),
        ({ key }) => key,
        ({ block }, index) => shown(block, isRunning && index === last),
      )}
      ${isRunning && isQuiet(blocks) ? html`<div class="dots" role="img" aria-label=${t("chat.answering")}><i></i><i></i><i></i></div>` : ""}
      ${error === undefined ? "" : html`<div class="notice bad" role="alert">${t("chat.failed", { reason: plain(error) })}</div>`}
      ${state === "partial" && !isRunning ? html`<p class="muted small">${t("chat.cut")}</p>` : ""}
      ${isRunning ? "" : this.footer()}`;
  }

  private footer(): unknown {
    const { reply, last } = this.entry;
    const again = this.last && !this.readonly;
    return html`<div class="acts">
      ${reply.blocks.length > 0 ? button("copy", t("ui.copy"), () => void copy(replyText(reply.blocks))) : ""}
      ${again ? button("refresh-cw", t("chat.regenerate"), () => act(this, { type: "regenerate" })) : ""}
      ${last === undefined || this.readonly ? "" : button("git-branch", t("chat.branch"), () => act(this, { type: "branch", entry: this.entry }))}
      <span class="facts">${this.facts()}</span>
    </div>`;
  }

  private facts(): unknown {
    const { model, usage, cost, at } = this.entry.reply;
    const parts: unknown[] = [];
    if (at !== undefined) parts.push(html`<time datetime=${at} title=${dateTime(at)}>${clock(at)}</time>`);
    if (model) parts.push(plain(model));
    if (usage) parts.push(t("chat.tokens", { input: count(usage.inputTokens), output: count(usage.outputTokens) }));
    if (cost !== undefined) parts.push(dollars(cost));
    return parts.map((part, index) => html`${index > 0 ? " · " : ""}${part}`);
  }

  /** A turn that runs tells more often than pictures are drawn. */
  private follow(live: LiveTurn | undefined): void {
    if (live === this.#live) return;
    this.#live?.removeEventListener("change", this.soon);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#live = live;
    live?.addEventListener("change", this.soon);
  }

  private readonly soon = (): void => {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.requestUpdate();
    });
  };
}

/** The same while it runs and when it is stored, whatever is loaded before it: what is on show moves, and is not drawn anew. */
function keyed(blocks: readonly Block[]): { readonly key: string; readonly block: Block }[] {
  const met = new Map<string, number>();
  let call = "";
  return blocks.map((block) => {
    if (block.type === "tool") call = block.call.id;
    const name = `${block.type} ${call}`;
    const times = (met.get(name) ?? 0) + 1;
    met.set(name, times);
    return { key: `${name} ${times}`, block };
  });
}

function shown(block: Block, isGrowing: boolean): unknown {
  if (block.type === "text") return html`<ui-markdown .text=${block.text} ?streaming=${isGrowing}></ui-markdown>`;
  if (block.type === "reasoning")
    return html`<chat-reasoning .text=${block.text} ?streaming=${isGrowing}></chat-reasoning>`;
  if (block.type === "tool") return html`<chat-tool .call=${block.call}></chat-tool>`;
  return html`<div class="steered" dir="auto">${plain(block.text)}</div>`;
}

/** Nothing on show says that something goes on. */
function isQuiet(blocks: readonly Block[]): boolean {
  const last = blocks.at(-1);
  return last === undefined || last.type === "steered" || (last.type === "tool" && last.call.state !== "run");
}

function button(icon: string, label: string, press: () => void): unknown {
  return html`<button class="icon plain small" title=${label} aria-label=${label} @click=${press}><ui-icon name=${icon}></ui-icon></button>`;
}
