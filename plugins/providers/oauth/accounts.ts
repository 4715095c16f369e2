/**
 * The accounts of all providers: hands out credentials, renews their tokens, adds and removes accounts. Exactly one renewal
 * runs per account, and none before `open`: until then the plugin's previous instance may be in the middle of one.
 */
import { GatewayError, type Logger, messageOf } from "@chela/sdk";
import type { Credential } from "../credentials/credential.ts";
import type { AccountsView, RefreshResult, Standings } from "../credentials/standings.ts";
import type { Account } from "./account.ts";
import { AccountCredential } from "./account-credential.ts";
import { rowOf } from "./account-row.ts";
import { freeName } from "./file-names.ts";
import { type Gate, gate } from "./gate.ts";
import { tellProblems } from "./problems.ts";
import { disable, type RenewalTools, type RenewalWhy, renew, save } from "./renewal.ts";
import type { Roster } from "./roster.ts";
import { type Session, sameAccount } from "./session.ts";
import type { OauthSettings } from "./settings.ts";
import type { Fetch } from "./transport.ts";

export interface AccountsOptions {
  readonly roster: Roster;
  /** For renewals; lasts until they are over. */
  readonly fetch: Fetch;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly now: () => number;
  readonly standings: Standings;
  readonly emit: (type: string, payload: Record<string, unknown>) => void;
}

export class OauthAccounts implements AccountsView {
  readonly roster: Roster;
  readonly #options: AccountsOptions;
  readonly #credentials = new Map<string, AccountCredential>();
  readonly #gate: Gate = gate();
  #saving: Promise<unknown> = Promise.resolve();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: AccountsOptions) {
    this.roster = options.roster;
    this.#options = options;
  }

  /** From now on tokens may be renewed. */
  open(): void {
    this.roster.look();
    this.#gate.open();
  }

  /** Resolves when no renewal runs any more; one that had sent its request is not cut, its answer may be the only good one. */
  async close(): Promise<void> {
    this.#gate.shut(new GatewayError("SHUTTING_DOWN", 503, "The accounts are being closed. Try again."));
    await Promise.allSettled([...this.#running, this.#saving]);
  }

  of(provider: string): readonly Credential[] {
    const usable = this.roster.of(provider).filter(({ session }) => !session.disabled);
    return usable.map((account) => this.credential(provider, account));
  }

  rows(provider: string): readonly Readonly<Record<string, unknown>>[] {
    const { standings, now } = this.#options;
    return this.roster.of(provider).map((account) => ({
      ...rowOf(account, now()),
      ...standings.of(provider, account.id),
      ...(account.session.disabled ? { health_score: 0 } : {}),
    }));
  }

  /** Says what is wrong with files and was not told before; returns what is wrong now. */
  tellProblems(told: ReadonlySet<string>): Set<string> {
    return tellProblems(this.roster.problems(), told, this.#options);
  }

  /** By the path or the bare name of its file, among the provider's own and nowhere else. */
  find(provider: string, file: string): Account {
    if (file === "") throw new GatewayError("OAUTH_ACCOUNT", 400, "oauth credential file is empty");
    this.roster.look();
    const path = this.roster.files.pathOf(file);
    const account = this.roster.of(provider).find((one) => one.path === path);
    if (!account) throw new GatewayError("OAUTH_ACCOUNT", 400, "oauth credential not found");
    return account;
  }

  credential(provider: string, account: Account): AccountCredential {
    const key = `${provider}\n${account.path}`;
    let credential = this.#credentials.get(key);
    if (credential?.account !== account) {
      credential = new AccountCredential(this, provider, account, this.#options.now);
      this.#credentials.set(key, credential);
    }
    return credential;
  }

  /** The session with a token that works, as far as can be known. Everybody who asks meanwhile gets the same answer. */
  renew(provider: string, account: Account, reason: RenewalWhy, leadMs?: number): Promise<Session> {
    account.renewing ??= this.#track(
      account.exclusive(async () => {
        await this.#gate.opened;
        const before = account.session.access_token;
        const settings = this.roster.settings(provider);
        const why = leadMs === undefined ? { reason } : { reason, leadMs };
        const session = await renew(account, settings, why, this.#tools(provider));
        if (session.access_token !== before) this.#tellRenewed(provider, account);
        return session;
      }),
    ).finally(() => {
      account.renewing = undefined;
    });
    return account.renewing;
  }

  async refresh(provider: string, { onlyExpiring }: { readonly onlyExpiring: boolean }): Promise<RefreshResult> {
    this.roster.look();
    const { leadMs } = this.roster.settings(provider);
    const accounts: RefreshResult["accounts"][number][] = [];
    for (const account of this.roster.of(provider))
      accounts.push(await this.#refreshOne(provider, account, onlyExpiring ? leadMs : undefined));
    const count = (status: string) => accounts.filter((row) => row.status === status).length;
    return {
      provider,
      checked: accounts.length,
      refreshed: count("refreshed"),
      skipped: count("skipped"),
      failed: count("failed"),
      accounts,
    };
  }

  /** A login or an import: over the file of the same account where there is one, else into a new one. */
  add(settings: OauthSettings, session: Session): Promise<{ account: Account; added: boolean }> {
    const work = this.#saving.then(() => this.#add(settings, session));
    this.#saving = work.catch(() => undefined);
    return work;
  }

  /** Removes the file; only one that lies in the accounts folder and is the provider's own. */
  async remove(provider: string, account: Account): Promise<void> {
    const { files } = this.roster;
    if (!files.owns(account.path)) {
      const message = `${account.path} lies outside ${files.folder} and is not removed: take it out of oauth.credential_files`;
      throw new GatewayError("OAUTH_OUTSIDE", 400, message);
    }
    await account.exclusive(async () => {
      await files.remove(account.path);
      this.roster.forget(account);
      for (const key of this.#credentials.keys()) if (key.endsWith(`\n${account.path}`)) this.#credentials.delete(key);
    });
    this.#options.log.info({ provider, account: account.target }, `removed the account ${account.target}`);
    this.#options.emit("provider_account_removed", { provider, account: account.target });
  }

  /** For good, until somebody logs in again or asks for a refresh that works. */
  async disable(provider: string, account: Account, reason: string): Promise<void> {
    if (account.session.disabled) return;
    await account.exclusive(() => disable(account, reason, this.roster.files));
    this.#tellDisabled(provider, account, reason);
  }

  async #add(settings: OauthSettings, session: Session): Promise<{ account: Account; added: boolean }> {
    const { provider } = settings;
    this.roster.look();
    const own = this.roster.section(provider) ? this.roster.of(provider) : [];
    const known = own.find((account) => sameAccount(account.session, session));
    if (known) {
      await known.exclusive(async () => {
        const { account_label, network_proxy, device_id, models } = known.session;
        const kept = {
          account_label: session.account_label || account_label,
          network_proxy: session.network_proxy || network_proxy,
        };
        known.unsaved = {
          ...session,
          ...kept,
          device_id: session.device_id || device_id,
          models: session.models.length > 0 ? session.models : models,
        };
        await save(known, this.roster.files);
        known.renewed();
      });
      this.#tellRenewed(provider, known);
      return { account: known, added: false };
    }
    const path = freeName(this.roster.files, settings.vendor.name, session, {
      first: own.length === 0,
      now: this.#options.now(),
    });
    await this.roster.files.write(path, session);
    this.roster.look();
    const account = this.roster.adopt(path);
    if (!account) throw new GatewayError("OAUTH_UNWRITABLE", 500, `the account file ${path} cannot be read back`);
    this.#options.emit("provider_account_added", { provider, account: account.target });
    return { account, added: true };
  }

  async #refreshOne(provider: string, account: Account, leadMs: number | undefined) {
    const { target, session } = account;
    const { now } = this.#options;
    const row = (status: "refreshed" | "skipped" | "failed", detail?: string) => {
      const { expire } = account.session;
      return {
        target,
        status,
        ...(detail ? { detail } : {}),
        ...(expire > 0 ? { expire: new Date(expire).toISOString() } : {}),
      };
    };
    if (leadMs !== undefined && session.disabled) return row("skipped", `disabled: ${session.disable_reason}`);
    if (leadMs !== undefined && !account.dead && !account.expiring(now(), leadMs))
      return row("skipped", "not expiring");
    if (session.refresh_token === "") return row("skipped", "no refresh token");
    try {
      await this.renew(provider, account, "asked");
      return row("refreshed");
    } catch (error) {
      return row("failed", messageOf(error));
    }
  }

  #tools(provider: string): RenewalTools {
    const { fetch, now } = this.#options;
    const { files } = this.roster;
    return { files, fetch, now, onEnd: (account, reason) => this.#tellDisabled(provider, account, reason) };
  }

  #tellRenewed(provider: string, account: Account): void {
    const { standings, log } = this.#options;
    standings.refreshed(provider, this.credential(provider, account));
    log.info({ provider, account: account.target }, `renewed the token of ${account.target}`);
    this.#options.emit("provider_account_renewed", { provider, account: account.target });
  }

  #tellDisabled(provider: string, account: Account, reason: string): void {
    const { standings, log, emit } = this.#options;
    const { target } = account;
    standings.note(provider, { kind: "oauth", target, reason: `oauth_disabled_${reason}` });
    log.warn(
      { provider, account: target, reason },
      `the account ${target} of ${provider} is disabled (${reason}): log in again`,
    );
    emit("provider_account_disabled", { provider, account: target, reason });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const done = () => void this.#running.delete(work);
    work.then(done, done);
    return work;
  }
}
