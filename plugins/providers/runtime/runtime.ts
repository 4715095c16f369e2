/** Everything that is known about how providers do: the ledger with its windows, what is kept over a restart, and what is shown. */
import { GatewayError, type Logger } from "@chela/sdk";
import type { Credential } from "../credentials/credential.ts";
import { masked } from "../credentials/keys.ts";
import type { AccountsView, RefreshResult } from "../credentials/standings.ts";
import { Cooldowns } from "../failover/cooldowns.ts";
import { isAlive, windowName } from "../failover/window-key.ts";
import type { ProviderSpec } from "../settings.ts";
import type { RelayChannels, RelayRow } from "../wire/relay/channels.ts";
import { type CoolingRow, coolingRows } from "./cooling.ts";
import { Keep, type KeepOptions } from "./keep.ts";
import { Ledger } from "./ledger.ts";
import { relayAccounts, relayCandidates } from "./relay-rows.ts";
import type { RestNews } from "./rest-news.ts";
import type { CandidateRow } from "./rows.ts";
import { readSnapshot, snapshotOf } from "./snapshot.ts";
import { type Summary, summaryOf } from "./summary.ts";
import { type ProviderFacts, type RuntimeItem, type RuntimeQuery, runtimeItems } from "./view.ts";

export interface RuntimeOptions {
  readonly log: Pick<Logger, "warn">;
  readonly now: () => number;
  readonly wall?: () => number;
  readonly accounts: () => AccountsView | undefined;
  readonly spec: (name: string) => ProviderSpec | undefined;
  /** Of a provider: keys as configured, then accounts. */
  readonly credentials: (provider: string) => readonly Credential[];
  /** Where to keep what outlives a restart; absent: nowhere. */
  readonly keep?: Pick<KeepOptions, "folder" | "files">;
  readonly relay?: Pick<RelayChannels, "rows" | "clear">;
  /** Rests of a provider began, were ended, or are over. */
  readonly onRests?: ((provider: string) => void) | undefined;
}

/** Kinds whose order of candidates can be asked for anew, as in ClawGo. */
const unranked: ReadonlySet<string> = new Set(["gemini", "gemini-cli", "aistudio", "vertex", "iflow"]);
const recentSec = 3600;
const lowHealth = 50;

export class Runtime {
  readonly cooldowns: Cooldowns;
  readonly ledger: Ledger;
  readonly #options: RuntimeOptions;
  readonly #wall: () => number;
  readonly #keep: Keep | undefined;
  #news: Promise<RestNews> | undefined;
  #specs: readonly ProviderSpec[] = [];
  #loaded = new Set<string>();
  #loading: Promise<void> = Promise.resolve();

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#wall = options.wall ?? Date.now;
    this.cooldowns = new Cooldowns(options.now, (key) => this.#rested(windowName(key).provider));
    this.ledger = new Ledger({
      cooldowns: this.cooldowns,
      roster: options.credentials,
      models: (provider) => options.spec(provider)?.models.length ?? 0,
      relays: (provider) => this.#relays(provider, relayCandidates),
      wall: this.#wall,
      onDirty: (provider) => this.#keep?.touch(provider),
    });
    const { keep, log } = options;
    this.#keep = keep && new Keep({ ...keep, log, snapshot: (name) => this.#snapshot(name) });
  }

  /** Takes over the providers that serve now. What is known about a key or an address that is gone is forgotten. */
  configure(specs: readonly ProviderSpec[]): void {
    this.#specs = specs;
    this.ledger.configure(specs);
    this.#forgetGone();
    const fresh = specs.filter(({ name, persist }) => persist && !this.#loaded.has(name));
    if (fresh.length > 0 && this.#keep) this.#loading = this.#load(fresh, this.#keep);
  }

  /** What was kept is there. */
  get ready(): Promise<void> {
    return this.#loading;
  }

  cooling(): readonly CoolingRow[] {
    return coolingRows(this.cooldowns.list(), this.#options.credentials);
  }

  items(query: RuntimeQuery): readonly RuntimeItem[] {
    return runtimeItems(this.#facts(), query, this.#wall());
  }

  summary(provider?: string): Summary {
    return summaryOf(this.#facts(provider), {
      all: provider !== undefined,
      healthBelow: lowHealth,
      windowSec: recentSec,
      now: this.#wall(),
    });
  }

  order(provider: string): readonly CandidateRow[] {
    return this.ledger.order(provider);
  }

  /** Clients of the relay, in the form of accounts. Undefined: this provider is not reached through it. */
  relayAccounts(provider: string): readonly Readonly<Record<string, unknown>>[] | undefined {
    return this.#relays(provider, relayAccounts);
  }

  /** One of them came, or left. Who comes may be asked at once, whatever failed without it. */
  relayChanged(reason: string, channel: string): void {
    const happening = { kind: "relay", target: channel, reason } as const;
    for (const { name } of this.#specs) {
      if (!this.#isRelayed(name)) continue;
      if (reason === "relay_connected") this.cooldowns.retain((key) => windowName(key).provider !== name);
      this.ledger.note(name, happening);
    }
  }

  /** A client of the relay answered, or failed and is passed over for a while. */
  relayed(provider: string, channel: string, error?: string): void {
    const { errors, lastSuccess } = this.ledger.book(provider);
    if (error !== undefined || (errors.newest?.at ?? 0) > (lastSuccess?.at ?? 0)) this.#rested(provider);
    this.ledger.relayed(provider, channel, error);
  }

  clearKeys(provider: string): void {
    this.#clear(provider, this.#keys(provider));
  }

  /** Keys, accounts and clients of the relay. */
  clearAll(provider: string): void {
    this.#clear(provider, this.#options.credentials(provider));
  }

  async clearHistory(provider: string): Promise<void> {
    this.ledger.book(provider).clearHistory();
    await this.#keep?.remove(provider);
  }

  async refresh(spec: ProviderSpec, onlyExpiring: boolean): Promise<RefreshResult> {
    const accounts = this.#options.accounts();
    if (spec.mode !== "oauth" && spec.mode !== "hybrid")
      throw new GatewayError("PROVIDER_NO_OAUTH", 400, `provider "${spec.name}" does not use oauth`);
    if (!accounts) return { provider: spec.name, checked: 0, refreshed: 0, skipped: 0, failed: 0, accounts: [] };
    return accounts.refresh(spec.name, { onlyExpiring });
  }

  rerank(spec: ProviderSpec): readonly CandidateRow[] {
    if (unranked.has(spec.preset))
      throw new GatewayError("PROVIDER_NO_RERANK", 400, `provider "${spec.name}" does not support runtime rerank`);
    return this.order(spec.name);
  }

  async close(): Promise<void> {
    (await this.#news)?.close();
    await this.#loading;
    await this.#keep?.flush();
  }

  #facts(only?: string): readonly ProviderFacts[] {
    const specs = only === undefined ? this.#specs : this.#specs.filter(({ name }) => name === only);
    return specs.map((spec) => {
      const { name } = spec;
      const order = this.order(name);
      const book = this.ledger.book(name);
      // Where pages are the candidates, nothing else is one.
      const [key] = this.#isRelayed(name) ? [] : this.#keys(name);
      return {
        name,
        auth: spec.auth,
        strategy: spec.strategy,
        apiBase: spec.base,
        apiState: key
          ? { ...(spec.keys[0] ? { token_masked: masked(spec.keys[0]) } : {}), ...this.ledger.of(name, key.id) }
          : {},
        hits: book.hits.list(),
        errors: book.errors.list(),
        changes: book.changes.list(),
        lastSuccess: book.lastSuccess,
        topChangedAt: book.topChangedAt,
        order,
        accounts: this.relayAccounts(name) ?? this.#options.accounts()?.rows(name) ?? [],
      };
    });
  }

  #clear(provider: string, credentials: readonly Credential[]): void {
    if (this.#isRelayed(provider)) {
      this.#options.relay?.clear();
      this.#rested(provider);
    }
    for (const credential of credentials) this.ledger.clear(provider, credential);
  }

  #isRelayed(provider: string): boolean {
    return this.#options.spec(provider)?.transport === "relay";
  }

  #relays<T>(provider: string, show: (rows: readonly RelayRow[], wall: number) => T): T | undefined {
    if (!this.#isRelayed(provider)) return undefined;
    const rows = this.#options.relay?.rows() ?? [];
    return show(
      rows.filter(({ connected }) => connected),
      this.#wall(),
    );
  }

  /** Rests of this provider are others now. Who tells of them is loaded with the first. */
  #rested(provider: string): void {
    const { onRests: tell } = this.#options;
    if (!tell) return;
    this.#news ??= import("./rest-news.ts").then(({ RestNews }) => new RestNews({ ends: () => this.#ends(), tell }));
    void this.#news.then((news) => news.changed(provider));
  }

  /** Of rests that end by themselves. */
  #ends(): readonly { readonly provider: string; readonly ms: number }[] {
    const own = this.cooldowns.list().map(({ key, ms }) => ({ provider: windowName(key).provider, ms }));
    const pages = this.#specs.flatMap(({ name: provider }) =>
      (this.#relays(provider, (rows) => rows) ?? []).map(({ cooldownMs: ms }) => ({ provider, ms })),
    );
    return [...own, ...pages].filter(({ ms }) => ms > 0 && ms !== Number.POSITIVE_INFINITY);
  }

  /** Windows of keys and addresses that are no more. */
  #forgetGone(): void {
    const keys = new Map(this.#specs.map(({ name }) => [name, this.#keys(name)]));
    this.cooldowns.retain((key) => windowName(key).provider === "offline" || isAlive(key, keys));
  }

  #keys(provider: string): readonly Credential[] {
    return this.#options.credentials(provider).filter(({ kind }) => kind !== "oauth");
  }

  #snapshot(provider: string): unknown {
    const spec = this.#options.spec(provider);
    if (!spec?.persist) return undefined;
    const [facts] = this.#facts(provider);
    return facts && snapshotOf(facts, this.ledger.book(provider), this.cooldowns.list(), this.#wall());
  }

  async #load(specs: readonly ProviderSpec[], keep: Keep): Promise<void> {
    for (const { name } of specs) this.#loaded.add(name);
    await this.#loading;
    for (const { name } of specs) {
      const kept = await keep.load(name);
      if (kept !== undefined)
        readSnapshot(kept, name, { book: this.ledger.book(name), cooldowns: this.cooldowns, now: this.#wall() });
    }
    this.#forgetGone();
  }
}
