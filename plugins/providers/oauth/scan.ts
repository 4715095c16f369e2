/** Renews tokens before they end, in the background: one look per provider and interval, never two at a time. */
import { type Logger, messageOf } from "@chela/sdk";
import type { OauthAccounts } from "./accounts.ts";

/** Where no provider says sooner. */
const idleMs = 600_000;
/** The first look, so that a start is not the moment at which every gateway asks. */
const firstMs = 5000;

export class Scan {
  readonly #accounts: OauthAccounts;
  readonly #log: Pick<Logger, "warn">;
  readonly #now: () => number;
  readonly #dueAt = new Map<string, number>();
  /** Problems of files that were told. */
  #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(accounts: OauthAccounts, log: Pick<Logger, "warn">, now: () => number) {
    this.#accounts = accounts;
    this.#log = log;
    this.#now = now;
  }

  /** Begins, or takes over a changed config. */
  start(): void {
    if (this.#stopped) return;
    const names = new Set(this.#accounts.roster.providers());
    for (const name of this.#dueAt.keys()) if (!names.has(name)) this.#dueAt.delete(name);
    const now = this.#now();
    for (const name of names) {
      const soonest = now + jittered(Math.min(this.#scanMs(name), firstMs));
      this.#dueAt.set(name, Math.min(this.#dueAt.get(name) ?? soonest, now + this.#scanMs(name)));
    }
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#dueAt.size === 0) return;
    // A clock that was set forward or back costs one interval at most.
    const wait = Math.min(...this.#dueAt.values()) - this.#now();
    this.#timer = setTimeout(() => this.#tick(), Math.min(Math.max(wait, 200), idleMs));
    this.#timer.unref();
  }

  #tick(): void {
    this.#running = this.#look()
      .catch((error: unknown) => this.#log.warn({ error: String(error) }, "looking for tokens that end soon failed"))
      .finally(() => this.#plan());
  }

  async #look(): Promise<void> {
    this.#told = this.#accounts.tellProblems(this.#told);
    for (const [provider, due] of this.#dueAt) {
      const now = this.#now();
      if (due > now && due - now <= 2 * this.#scanMs(provider)) continue;
      this.#dueAt.set(provider, now + jittered(this.#scanMs(provider)));
      await this.#renewDue(provider);
    }
  }

  async #renewDue(provider: string): Promise<void> {
    const { roster } = this.#accounts;
    roster.look();
    for (const account of roster.of(provider)) {
      if (this.#stopped) return;
      const { disabled, refresh_token } = account.session;
      const leadMs = roster.settings(provider).leadMs;
      const due = account.unsaved !== undefined || account.dead || account.expiring(this.#now(), leadMs);
      if (disabled || refresh_token === "" || !due || account.waitMs(this.#now()) > 0) continue;
      await this.#accounts.renew(provider, account, "expiring", leadMs).catch((error: unknown) => {
        const reason = messageOf(error);
        this.#log.warn(
          { provider, account: account.target, reason },
          `the token of ${account.target} was not renewed: ${reason}`,
        );
      });
    }
  }

  #scanMs(provider: string): number {
    try {
      return this.#accounts.roster.settings(provider).scanMs;
    } catch {
      return idleMs;
    }
  }
}

/** Within a tenth of it. */
function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}
