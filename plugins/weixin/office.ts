/**
 * The logins and the accounts behind one set of operations: made when somebody comes in. Changes are told as events, which like
 * the log hold neither tokens nor QR codes.
 */
import { type Context, type Files, GatewayError, type Health } from "@chela/sdk";
import { AccountFile } from "./accounts/account-file.ts";
import { Accounts } from "./accounts/accounts.ts";
import { ilinkClient, withoutSecrets } from "./ilink/client.ts";
import { baseNamed } from "./ilink/hosts.ts";
import { fetchLoginState, fetchQrCode } from "./ilink/login-calls.ts";
import type { Credentials, Login, LoginWays } from "./logins/login.ts";
import { Logins } from "./logins/logins.ts";
import type { Settings } from "./settings.ts";
import { accountRow, type Flags, loginRow, noLogin } from "./status.ts";
import type { Timing } from "./timing.ts";

export interface World {
  readonly ctx: Pick<Context, "dataDir" | "emit" | "fetch" | "log" | "signal">;
  readonly files: Files;
  /** What is in force: the draft, else the config. */
  readonly settings: () => Settings;
  readonly timing: Timing;
  readonly now: () => number;
}

export class Office {
  readonly #world: World;
  readonly #accounts: Accounts;
  readonly #logins: Logins;

  constructor(world: World) {
    const { ctx, files, settings, now } = world;
    this.#world = world;
    this.#accounts = new Accounts(new AccountFile(ctx.dataDir, files), settings, now);
    this.#logins = new Logins(this.#ways(), (login) => this.#told(login));
  }

  async open(): Promise<void> {
    await this.#accounts.load();
    const { trouble } = this.#accounts;
    if (trouble !== "") this.#world.ctx.log.error(trouble);
  }

  /** `open`: QR codes are for this caller to see. */
  status(flags: Flags, open: boolean): Record<string, unknown> {
    const logins = this.#logins.list();
    const pending = logins.map((login) => loginRow(login, open));
    const defaultId = this.#accounts.defaultId();
    // One that answers what is no answer is at the wrong address: ClawGo says so at the top.
    const lost = logins.find(({ standing }) => standing.unreadable);
    return {
      ok: lost === undefined,
      ...flags,
      ...(lost ? { error: lost.standing.lastError } : {}),
      pending_logins: pending,
      pending_login: pending[0] ?? noLogin,
      accounts: this.#accounts.list().map((account) => accountRow(account, defaultId)),
    };
  }

  async startLogin(signal: AbortSignal): Promise<void> {
    await this.#logins.start(signal);
  }

  verifyLogin(id: string, code: string): void {
    if (this.#logins.find(id).verify(code)) return;
    throw new GatewayError("WEIXIN_NO_CODE", 409, "no number is asked for now");
  }

  cancelLogin(id: string): void {
    this.#logins.cancel(id);
  }

  /** What one login shows as a QR code; without an id, the first that has one. */
  qrContent(id: string): string {
    const login = this.#logins.list().find((one) => one.qr !== undefined && (id === "" || one.id === id));
    if (login?.qr) return login.qr.content;
    throw new GatewayError("WEIXIN_QR_GONE", 404, "qr unavailable");
  }

  async removeAccount(botId: string): Promise<void> {
    await this.#accounts.remove(botId);
    this.#accountsChanged();
  }

  async makeDefault(botId: string): Promise<void> {
    await this.#accounts.setDefault(botId);
    this.#accountsChanged();
  }

  health(): Health {
    const { trouble } = this.#accounts;
    return { ok: trouble === "", reason: trouble, accounts: this.#accounts.list().length };
  }

  /** The channel was switched off. */
  async rest(): Promise<void> {
    await this.#logins.clear();
  }

  async close(): Promise<void> {
    await this.#logins.close();
  }

  #ways(): Omit<LoginWays, "changed"> {
    const { ctx, settings, timing, now } = this.#world;
    const client = ilinkClient((url, init) => ctx.fetch(url, init), settings);
    return {
      timing,
      now,
      baseUrl: () => settings().baseUrl,
      baseNamed: (told) => baseNamed(told, settings()),
      fetchQrCode: (place) => fetchQrCode(client, place, this.#accounts.tokensFor(place.base)),
      fetchState: (place, qr, code) => fetchLoginState(client, place, qr, code),
      save: (credentials) => this.#save(credentials),
      hasAccounts: () => this.#accounts.list().length > 0,
    };
  }

  async #save({ botId, token, userId, base, namedBase }: Credentials): Promise<void> {
    const named = namedBase === "" ? base : baseNamed(namedBase, this.#world.settings());
    if (named === undefined) {
      const url = withoutSecrets(namedBase, [token]);
      this.#world.ctx.log.warn(
        { bot_id: botId, url },
        "the base URL that came with a login is not trusted and not used",
      );
    }
    await this.#accounts.add({ botId, token, userId, baseUrl: named ?? base });
    this.#accountsChanged();
  }

  #told({ id, standing }: Login): void {
    this.#world.ctx.log.info({ login_id: id, status: standing.status, error: standing.lastError }, "weixin login");
    this.#emit("weixin_login", { login_id: id, status: standing.status });
  }

  #accountsChanged(): void {
    this.#emit("config_changed", { source: "weixin" });
  }

  /** A login may end while the plugin is being stopped: then nobody is left to tell. */
  #emit(type: string, payload: Record<string, unknown>): void {
    if (!this.#world.ctx.signal.aborted) this.#world.ctx.emit(type, payload);
  }
}
