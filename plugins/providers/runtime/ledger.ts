/**
 * Keeps the health of every credential, who rests, and what happened lately. A success costs two lookups and an assignment;
 * everything else is worked out when somebody fails or somebody looks.
 */
import type { GatewayError } from "@chela/sdk";
import type { Credential } from "../credentials/credential.ts";
import type { Happening, StandingFields, Standings } from "../credentials/standings.ts";
import type { Cooldowns } from "../failover/cooldowns.ts";
import type { Candidate, Observer } from "../failover/failover.ts";
import type { Verdict } from "../failover/verdict.ts";
import { windowName } from "../failover/window-key.ts";
import { Book, kindOf } from "./book.ts";
import { type CandidateRow, type Roster, rowsOf } from "./rows.ts";
import { untilText } from "./time.ts";

type Named = Pick<Credential, "id" | "target" | "kind">;

export interface LedgerOptions {
  readonly cooldowns: Cooldowns;
  /** The credentials of a provider in the order of its config. */
  readonly roster: (provider: string) => Roster;
  /** The candidates of a provider that is reached through the relay. */
  readonly relays?: (provider: string) => readonly CandidateRow[] | undefined;
  /** How many models it lists. */
  readonly models: (provider: string) => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Something worth keeping over a restart happened to a provider with `runtime_persist`. */
  readonly onDirty: (provider: string) => void;
}

const defaultMax = 24;
const healed = 3;
const refreshedBonus = 5;
const separator = " > ";

export class Ledger implements Standings, Omit<Observer<Candidate>, "answered"> {
  readonly #options: LedgerOptions;
  readonly #books = new Map<string, Book>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  book(provider: string): Book {
    let found = this.#books.get(provider);
    if (!found) {
      found = new Book(defaultMax);
      this.#books.set(provider, found);
    }
    return found;
  }

  /** Takes over the settings of the providers that are; forgets the others. */
  configure(providers: readonly { name: string; historyMax: number; persist: boolean }[]): void {
    const names = new Set(providers.map(({ name }) => name));
    for (const name of this.#books.keys()) if (!names.has(name)) this.#books.delete(name);
    for (const { name, historyMax, persist } of providers) {
      const book = this.book(name);
      book.resize(historyMax);
      book.persist = persist;
    }
  }

  succeeded(candidate: Candidate): void {
    const { provider, model, credential } = candidate;
    const book = this.book(provider);
    if (credential.kind !== "relay") {
      const at = this.#options.wall();
      const mark = { at, kind: kindOf(credential), target: credential.target, reason: "success", detail: model };
      book.hits.add(mark);
      book.lastSuccess = mark;
    }
    const standing = book.standing(credential.id);
    standing.requests += 1;
    const { cooldowns } = this.#options;
    const recovered = !cooldowns.idle && this.#ended(candidate);
    if (standing.health < 100 || standing.failures > 0 || recovered) {
      standing.health = Math.min(100, standing.health + healed);
      standing.failures = 0;
      standing.lastFailure = "";
      if (recovered) this.#change(book, candidate.credential, `${kindOf(credential)}_recovered`, model);
      this.#look(provider, book);
    }
    if (book.persist) this.#options.onDirty(provider);
  }

  failed(candidate: Candidate, error: GatewayError, verdict: Verdict): void {
    const { provider, model, credential } = candidate;
    // An account that is not there is nobody whose health could suffer.
    if (credential.kind === "oauth" && credential.target === "") return;
    const book = this.book(provider);
    const standing = book.standing(credential.id);
    standing.requests += 1;
    if (verdict.penalty === 0) return;
    standing.health = Math.max(1, standing.health - verdict.penalty);
    standing.failures += 1;
    standing.lastFailure = verdict.reason;
    const detail = `${model}: ${error.message}`.slice(0, 500);
    const kind = kindOf(credential);
    if (kind !== "relay")
      book.errors.add({ at: this.#options.wall(), kind, target: credential.target, reason: verdict.reason, detail });
    if (verdict.rests !== "nobody") {
      const { cooldowns } = this.#options;
      const [own, ofModel] = candidate.keys;
      const opened = cooldowns.fail(verdict.rests === "credential" ? own : ofModel, error, candidate.restMs);
      // Where the credential serves another model after all, it is this one that is refused.
      if (verdict.reason === "unauthorized") cooldowns.fail(ofModel, error);
      if (opened) this.#change(book, credential, `${kind}_cooldown_${verdict.reason}`, model);
    }
    const ended = endOf(error);
    if (ended) credential.disable?.(ended).catch(() => undefined);
    this.#look(provider, book);
    if (book.persist) this.#options.onDirty(provider);
  }

  of(provider: string, credentialId: string): StandingFields {
    const standing = this.#books.get(provider)?.standings.get(credentialId);
    const ms = this.restsMs(provider, credentialId);
    return {
      ...(ms > 0 ? { cooldown_until: untilText(this.#options.wall(), ms) } : {}),
      ...(standing?.failures ? { failure_count: standing.failures } : {}),
      ...(standing?.lastFailure ? { last_failure: standing.lastFailure } : {}),
      ...(standing?.requests ? { requests: standing.requests } : {}),
      health_score: standing?.health ?? 100,
    };
  }

  health(provider: string, credentialId: string): number {
    return this.#books.get(provider)?.standings.get(credentialId)?.health ?? 100;
  }

  refreshed(provider: string, credential: Named): void {
    const book = this.book(provider);
    const standing = book.standing(credential.id);
    standing.health = Math.min(100, standing.health + refreshedBonus);
    const { cooldowns } = this.#options;
    cooldowns.retain(
      (key) => cooldowns.remaining(key) !== Number.POSITIVE_INFINITY || !isOf(key, provider, credential.id),
    );
    this.#change(book, credential, "oauth_refresh_success");
    this.#look(provider, book);
  }

  clear(provider: string, credential: Named): void {
    const book = this.book(provider);
    this.#options.cooldowns.retain((key) => !isOf(key, provider, credential.id));
    Object.assign(book.standing(credential.id), { health: 100, failures: 0, lastFailure: "" });
    const reason = credential.kind === "oauth" ? "manual_clear_oauth_cooldown" : "manual_clear_api_cooldown";
    this.#change(book, credential, reason);
    this.#look(provider, book);
    if (book.persist) this.#options.onDirty(provider);
  }

  /** A client of the relay answered, or failed. These are the hits and errors of a provider that is reached through it. */
  relayed(provider: string, channel: string, error?: string): void {
    const book = this.book(provider);
    const mark = { at: this.#options.wall(), kind: "relay", target: channel } as const;
    if (error === undefined) {
      book.lastSuccess = { ...mark, reason: "success" };
      book.hits.add(book.lastSuccess);
    } else book.errors.add({ ...mark, reason: "relay_error", detail: error });
    this.#look(provider, book);
  }

  note(provider: string, happening: Happening): void {
    const book = this.book(provider);
    book.changes.add({ ...happening, at: this.#options.wall() });
    this.#look(provider, book);
    if (book.persist) this.#options.onDirty(provider);
  }

  /** The candidates in order, as they are now; a change since the last look is noted. */
  order(provider: string): readonly CandidateRow[] {
    return this.#look(provider, this.book(provider));
  }

  /**
   * Milliseconds until this credential may be asked for all its models; Infinity: when somebody did something about it. Being
   * refused one model for good is no rest while there are others.
   */
  restsMs(provider: string, credentialId: string): number {
    const { cooldowns, models } = this.#options;
    if (cooldowns.idle) return 0;
    const windows = cooldowns.list().filter(({ key }) => isOf(key, provider, credentialId));
    if (windows.length === 0) return 0;
    if (windows.some(({ key, ms }) => ms === Number.POSITIVE_INFINITY && windowName(key).model === undefined))
      return Number.POSITIVE_INFINITY;
    const finite = windows.filter(({ ms }) => ms !== Number.POSITIVE_INFINITY);
    if (windows.length - finite.length >= Math.max(1, models(provider))) return Number.POSITIVE_INFINITY;
    return Math.max(0, ...finite.map(({ ms }) => ms));
  }

  #ended({ keys }: Candidate): boolean {
    const { cooldowns } = this.#options;
    const credential = cooldowns.succeed(keys[0]);
    return cooldowns.succeed(keys[1]) || credential;
  }

  #look(provider: string, book: Book): readonly CandidateRow[] {
    const rows = this.#options.relays?.(provider) ?? this.#rows(provider);
    const targets = rows.map(({ kind, target }) => `${kind}:${target ?? ""}`);
    const order = targets.join(separator);
    if (order === book.order) return rows;
    const [top = ""] = targets;
    if (book.order !== undefined && targets.length > 0) {
      const at = this.#options.wall();
      if (book.order.split(separator, 1)[0] !== top) book.topChangedAt = at;
      const detail = `${book.order} -> ${order}`.slice(0, 500);
      book.changes.add({
        at,
        kind: "scheduler",
        target: rows[0]?.target ?? "",
        reason: "candidate_order_changed",
        detail,
      });
    }
    book.order = order;
    return rows;
  }

  #rows(provider: string): readonly CandidateRow[] {
    return rowsOf(this.#options.roster(provider), ({ id }) => ({
      ...this.of(provider, id),
      ready: this.restsMs(provider, id) === 0,
    }));
  }

  #change(book: Book, credential: Named, reason: string, detail?: string): void {
    const at = this.#options.wall();
    const kind = kindOf(credential);
    book.changes.add({ at, kind, target: credential.target, reason, ...(detail === undefined ? {} : { detail }) });
  }
}

/** What ends an account for good, in the words of its vendor. */
function endOf(error: GatewayError): string | undefined {
  const told = error.details?.upstream as { message?: unknown; type?: unknown; code?: unknown } | undefined;
  if (!told) return undefined;
  return /token_revoked|deactivated_workspace/.exec(`${told.code} ${told.type} ${told.message}`)?.[0];
}

function isOf(key: string, provider: string, credentialId: string): boolean {
  if (!key.endsWith(credentialId)) return false;
  const name = windowName(key);
  return name.provider === provider && name.credential === credentialId;
}
