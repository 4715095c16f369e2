/**
 * The sentinel at work: looks, tells what changed (log, event, webhook), keeps a record of it and says how things are. One
 * look at a time; what newly fails is looked at a second time before anybody is told, so that one slow moment is no alert.
 */
import { GatewayError, messageOf } from "@chela/sdk";
import { type HistoryAsk, history } from "./history.ts";
import { type Incident, Incidents } from "./incidents.ts";
import type { SentinelContext } from "./index.ts";
import { type Findings, look, wellAgain } from "./look.ts";
import { Outbox } from "./outbox.ts";
import { Pulse } from "./pulse.ts";
import { Records } from "./records.ts";
import { type Notice, Watch } from "./watch.ts";
import { post } from "./webhook.ts";

export class Sentinel {
  readonly #ctx: SentinelContext;
  readonly #outbox: Outbox;
  readonly #records: Records;
  readonly #incidents = new Incidents();
  readonly #pulse = new Pulse();
  #watch = new Watch();
  #looking = false;
  #lookedAt: number | null = null;

  constructor(ctx: SentinelContext) {
    this.#ctx = ctx;
    this.#outbox = new Outbox({
      post: (notice) => post(ctx.fetch, ctx.config.webhook_url, notice),
      failed: (reason, waiting) => {
        if (ctx.signal.aborted) return;
        ctx.log.warn({ reason, waiting }, "the webhook did not take a message; it is tried again with each look");
      },
    });
    this.#records = new Records({
      store: () => ctx.use.store,
      failed: (error) => {
        if (ctx.stopping.aborted) return;
        ctx.log.warn({ error }, "the history of health cannot be written; the newest of it waits in memory");
      },
    });
  }

  /** `seconds`: since the plugin started. */
  async run(seconds: number): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const began = performance.now();
      const found = await this.#look();
      const ms = Math.round(performance.now() - began);
      const { enabled, webhook_url } = this.#ctx.config;
      if (this.#ctx.stopping.aborted || !enabled) return;
      const at = Date.now();
      this.#lookedAt = at;
      const notices = this.#watch.judge(found, { seconds, at });
      for (const notice of notices) this.#tell(notice);
      const { ready } = this.#ctx.use.gateway.status();
      this.#records.put(this.#pulse.row(found, { at, ms, ready }), seconds);
      this.#keep(this.#incidents.judge(found, notices, at));
      if (webhook_url === "") this.#outbox.clear();
      else void this.#outbox.flush();
    } finally {
      this.#looking = false;
    }
  }

  /** Forgets what it saw, and what waits. */
  rest(): void {
    this.#watch = new Watch();
    const ended = this.#incidents.end(Date.now());
    if (ended.length > 0) this.#keep(ended);
    this.#outbox.clear();
    this.#lookedAt = null;
  }

  status() {
    const failing = this.#watch.troubles().map(({ what, says, since }) => ({ what, reason: says, since }));
    return { lookedAt: this.#lookedAt, failing, ...this.#outbox.facts() };
  }

  history(asked: HistoryAsk) {
    return history(this.#records, asked, Date.now());
  }

  async incidents(limit: number): Promise<{ incidents: readonly Incident[] }> {
    return { incidents: await this.#records.incidents(limit) };
  }

  async test(): Promise<{ ok: boolean; status: number | null; ms: number | null; reason: string }> {
    if (this.#ctx.config.webhook_url === "") {
      const message = "no webhook is set; set one with: chela config set sentinel.webhook_url ADDRESS";
      throw new GatewayError("SENTINEL_UNSET", 409, message);
    }
    const message = "sentinel: this is a test of the webhook";
    try {
      const answer = await this.#outbox.send({ what: "test", level: "info", message, at: Date.now() });
      return { ok: true, ...answer, reason: "" };
    } catch (error) {
      return { ok: false, status: null, ms: null, reason: messageOf(error) };
    }
  }

  async #look(): Promise<Findings> {
    const first = await look(this.#ctx.use);
    const isNew = (what: string) => first.get(what)?.ok === false && !this.#watch.knows(what);
    if (![...first.keys()].some(isNew)) return first;
    const again = await look(this.#ctx.use);
    const confirmed = (what: string) => this.#watch.knows(what) || isNew(what);
    return new Map([...again].map(([what, finding]) => [what, confirmed(what) ? finding : wellAgain(finding)]));
  }

  #keep(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      this.#records.keep(incident);
      const { id, check, plugin, message, started, ended, outcome } = incident;
      this.#ctx.emit("sentinel_incident", { id, check, plugin, message, started, ended, outcome });
    }
    void this.#records.flush(Date.now());
  }

  #tell(notice: Notice): void {
    const { what, level, message } = notice;
    if (level === "warning") this.#ctx.log.warn({ what }, message);
    else this.#ctx.log.info({ what }, message);
    this.#ctx.emit("sentinel_alert", { level, what, message });
    this.#outbox.put(notice);
  }
}
