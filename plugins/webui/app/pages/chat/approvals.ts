/** `<chat-approvals session="…">`: calls of tools that wait for a yes, each with all of what it would do. For admins only. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { LiveSocket } from "../../client/live-socket.ts";
import { clock } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/code.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { toast } from "../../parts/toast.ts";

interface Approval {
  readonly id: string;
  readonly tool: string;
  readonly risk?: string;
  /** JSON. */
  readonly input: string;
  readonly hash: string;
  readonly agent?: string;
  readonly session?: string | null;
  readonly expiresAt: number;
}

type Decision = "allow" | "always" | "deny";

@customElement("chat-approvals")
export class Approvals extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { max-width: 50rem; width: 100%; margin: 0 auto; padding: 0 1.2rem; max-height: 60%; overflow: auto; flex: none; }
      .card { border-color: var(--warn); background: var(--warn-soft); margin-bottom: 0.6rem; padding: 0.7rem 0.9rem; }
      h3 { display: flex; align-items: center; gap: 0.5rem; flex-wrap: wrap; }
      .mono { overflow-wrap: anywhere; }
      @media (max-width: 640px) { :host { padding: 0 0.6rem; } }
    `,
  ];

  @property() session = "";
  @state() private waiting: readonly Approval[] = [];
  @state() private answered: ReadonlySet<string> = new Set();
  #socket: LiveSocket | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#socket?.close();
    this.#socket = undefined;
    markTab(0);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("session") || !this.isConnected) return;
    this.#socket?.close();
    this.waiting = [];
    const { session } = this;
    this.#socket = new LiveSocket(() => `/api/approvals/live?session=${encodeURIComponent(session)}`, {
      opened: () => {
        this.waiting = [];
        this.answered = new Set();
      },
      frame: (frame) => session === this.session && this.frame(frame),
    });
    this.#socket.open();
  }

  /** Whoever is elsewhere sees it at the tab. */
  override updated(): void {
    markTab(this.waiting.length);
  }

  override render() {
    return html`<div role="region" aria-label=${t("chat.approvals")}><div role="alert">${this.waiting.length > 0 ? html`<span class="visually-hidden">${t("chat.approvals.waiting", { n: this.waiting.length })}</span>` : ""}</div>
      ${repeat(
        this.waiting,
        ({ id }) => id,
        (approval) => this.card(approval),
      )}</div>`;
  }

  private card(approval: Approval): unknown {
    const { id, tool, input, risk, agent, hash, session, expiresAt } = approval;
    const isAnswered = this.answered.has(id);
    const decide = (decision: Decision) => () => this.decide(approval, decision);
    return html`<section class="card" aria-label=${t("chat.approval", { tool })}>
      <h3><ui-icon name="shield"></ui-icon><span class="wrap">${t("chat.approval", { tool: plain(tool) })}</span>${risk ? html`<span class="badge warn">${t("chat.approval.risk", { risk: plain(risk) })}</span>` : ""}</h3>
      <ui-code .label=${plain(tool)} .language=${"json"} .code=${plain(readable(input))}></ui-code>
      <p class="small muted">${t("chat.approval.facts", { agent: plain(agent ?? ""), session: plain(session ?? ""), time: clock(expiresAt) })}
        <span class="mono" title=${hash}>${t("chat.approval.hash", { hash: hash.slice(0, 16) })}</span></p>
      <div class="row">
        <button class="primary" ?disabled=${isAnswered} @click=${decide("allow")}>${t("chat.approval.allow")}</button>
        <button ?disabled=${isAnswered} @click=${decide("always")}>${t("chat.approval.always")}</button>
        <button class="danger" ?disabled=${isAnswered} @click=${decide("deny")}>${t("chat.approval.deny")}</button>
      </div>
    </section>`;
  }

  private frame(frame: Record<string, unknown>): void {
    const approval = frame as unknown as Approval;
    if (frame.type === "approval_requested") {
      this.waiting = [...this.waiting.filter(({ id }) => id !== approval.id), approval];
      if (!this.checkVisibility() || document.hidden) toast(t("chat.approval", { tool: plain(approval.tool) }), "warn");
    } else if (frame.type === "approval_resolved") this.waiting = this.waiting.filter(({ id }) => id !== approval.id);
    else if (frame.type === "approval_error") {
      toast(String(frame.error), "bad");
      this.answered = new Set();
    }
  }

  private decide({ id, hash }: Approval, decision: Decision): void {
    if (this.#socket?.send({ id, hash, decision })) this.answered = new Set([...this.answered, id]);
    else toast(t("app.offline"), "warn");
  }
}

function markTab(waiting: number): void {
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
}

/** As it is judged, on lines of its own. */
function readable(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    return input;
  }
}
