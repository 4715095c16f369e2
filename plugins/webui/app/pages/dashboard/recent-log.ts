/** The newest warnings and errors of the log, as they come. */
import { css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { type LogEntry, LogFeed } from "../../client/log-feed.ts";
import { href } from "../../client/router.ts";
import { ago, dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Minutes } from "../../parts/minutes.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";

const most = 6;

@customElement("dashboard-recent-log")
export class RecentLog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.4rem 0; border-top: 1px solid var(--border); }
      li:first-child { border-top: 0; }
    `,
  ];

  /** What came since they were asked for. */
  @state() private since: readonly LogEntry[] = [];
  readonly #lines = new Load(this, () => this.newest(), { manual: true });
  readonly #feed = new LogFeed(
    { level: "warn" },
    {
      line: (entry) => {
        this.since = [...this.since, entry].slice(-most);
      },
      opened: () => void this.#lines.again(),
      refused: () => void this.#lines.again(),
    },
  );

  constructor() {
    super();
    new Minutes(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#feed.open();
    this.untilGone(() => this.#feed.close());
  }

  override render() {
    return html`<section class="card" aria-labelledby="log">
      <div class="spread"><h2 id="log">${t("dashboard.logs")}</h2><a class="small" href="${href("logs")}?level=warn">${t("dashboard.logs.go")}</a></div>
      ${this.#lines.show((lines) => this.lines([...lines, ...this.since]))}
    </section>`;
  }

  private lines(all: readonly LogEntry[]) {
    if (all.length === 0) return html`<p class="muted small">${t("dashboard.logs.none")}</p>`;
    return html`<ol>${all.slice(-most).reverse().map(line)}</ol>`;
  }

  private async newest(): Promise<readonly LogEntry[]> {
    const before = this.since;
    const { logs } = await call<{ logs: readonly LogEntry[] }>("logs.recent", { limit: most, level: "warn" });
    const known = new Set([...before, ...logs].map((entry) => JSON.stringify(entry)));
    this.since = this.since.filter((entry) => !known.has(JSON.stringify(entry)));
    return logs;
  }
}

function line({ time, level, plugin, msg, message }: LogEntry) {
  const kind = String(level).toUpperCase() === "ERROR" ? "bad" : "warn";
  const at = Date.parse(String(time));
  return html`<li class="small">
    <div class="row tight"><span class="badge ${kind}">${short(String(level), 12)}</span>
      ${plugin === undefined ? "" : html`<span class="muted">${short(String(plugin), 60)}</span>`}
      ${Number.isNaN(at) ? "" : html`<time class="muted" datetime=${new Date(at).toISOString()} title=${dateTime(at)}>${ago(at)}</time>`}</div>
    <div class="wrap">${short(String(msg ?? message ?? ""))}</div>
  </li>`;
}
