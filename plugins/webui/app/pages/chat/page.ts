/** The page chat: sessions on one side, the open one on the other; on a small screen one of them at a time. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { gateway } from "../../client/gateway.ts";
import { href, type Place, router } from "../../client/router.ts";
import { remember, remembered } from "../../client/storage.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { toast } from "../../parts/toast.ts";
import { type Conversation, newSession } from "./conversation.ts";
import { ChatLink } from "./model/link.ts";
import { Outbox } from "./model/outbox.ts";
import { SessionList } from "./model/session-list.ts";
import "./sessions.ts";

const small = "(max-width: 900px)";

@customElement("chela-page-chat")
export class ChatPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: grid; grid-template-columns: 17.5rem minmax(0, 1fr); height: 100%; min-height: 0; }
      chat-sessions { border-inline-end: 1px solid var(--border); }
      @media (max-width: 1100px) { :host { grid-template-columns: 14rem minmax(0, 1fr); } }
      @media (max-width: 900px) {
        :host { grid-template-columns: minmax(0, 1fr); }
        .open > chat-sessions, .list > chat-conversation { display: none; }
        chat-sessions { border: 0; }
      }
      .open, .list { display: contents; }
    `,
  ];

  @property({ attribute: false }) place?: Place;
  readonly #list = new SessionList();
  readonly #outbox = new Outbox();
  readonly #link = new ChatLink(this.#outbox);
  #looked = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.untilGone(this.#list.open());
    this.untilGone(this.#link.open());
    this.untilGone(
      gateway.on(["session_changed"], ({ session, deleted, renamed_from: from }) =>
        this.moved(session, { deleted, from }),
      ),
    );
    this.listen(this.#list, "change", () => this.requestUpdate());
    this.listen(document, "visibilitychange", () => this.requestUpdate());
    this.listen(this.#link, "fault", (event) => toast(String((event as CustomEvent).detail), "bad"));
    this.listen(matchMedia(small), "change", () => this.requestUpdate());
  }

  override willUpdate(): void {
    const key = this.place?.rest[0];
    if (key !== undefined) {
      remember("chat.open", key);
      if (this.#list.state === "ready" && this.#looked !== key && !this.#list.find(key)) {
        this.#looked = key;
        void this.#list.look(key);
      }
      if (document.visibilityState === "visible" && router.place.panel === "chat") this.#list.saw(key);
    } else if (!matchMedia(small).matches && this.place?.panel === "chat" && this.#list.state === "ready") {
      const last = remembered("chat.open");
      const known = last !== undefined && this.#list.find(last) ? last : this.#list.rows[0]?.key;
      router.go(href("chat", known ?? "main"), { replace: true });
    }
  }

  override render() {
    const key = this.place?.rest[0];
    const at = Number(this.place?.query.get("at")) || undefined;
    const row = key === undefined ? undefined : (this.#list.find(key) ?? { key });
    return html`<div class=${key === undefined ? "list" : "open"}>
      ${key === undefined ? html`<h1 class="visually-hidden">${t("chat.title")}</h1>` : ""}
      <chat-sessions .list=${this.#list} .current=${key ?? ""} @begin=${this.begin}></chat-sessions>
      ${row ? html`<chat-conversation .row=${row} .at=${at} .link=${this.#link} .outbox=${this.#outbox}></chat-conversation>` : ""}
    </div>`;
  }

  private async begin(): Promise<void> {
    router.go(href("chat", newSession()));
    await new Promise(requestAnimationFrame);
    await this.updateComplete;
    this.renderRoot.querySelector<Conversation>("chat-conversation")?.write();
  }

  private moved(session: unknown, { deleted, from }: { deleted: unknown; from: unknown }): void {
    const key = this.place?.rest[0];
    if (key === undefined || router.place.panel !== "chat") return;
    if (deleted === true && session === key) {
      remember("chat.open", undefined);
      router.go(href("chat"), { replace: true });
    } else if (from === key) router.go(href("chat", String(session)), { replace: true });
  }
}
