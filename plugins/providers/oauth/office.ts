/**
 * One set of operations behind the HTTP routes and the RPC methods: begin and finish a login, import, list, renew, remove.
 * The desk with its protocol code is loaded when the first login begins.
 */
import { type Config, GatewayError, messageOf } from "@chela/sdk";
import type { Standings } from "../credentials/standings.ts";
import type { Fields } from "../fields.ts";
import type { Account } from "./account.ts";
import type { OauthAccounts } from "./accounts.ts";
import type { LoginDesk, LoginRequest } from "./desk.ts";
import type { LoginResult } from "./flow.ts";
import { maskProxy } from "./proxy-url.ts";
import { loginRequest, newSection, textIn } from "./requests.ts";
import { labelOf } from "./session.ts";
import { type Env, type OauthSettings, readOauth, usesAccounts } from "./settings.ts";
import type { Fetch } from "./transport.ts";
import { vendorName } from "./vendors.ts";

export interface OfficeOptions {
  readonly accounts: OauthAccounts;
  readonly config: Pick<Config, "write">;
  readonly fetch: Fetch;
  readonly env: Env;
  readonly now: () => number;
  readonly standings: Standings;
  /** The provider that a request without a name means. */
  readonly primary: () => string;
  readonly relays?: ((provider: string) => readonly Readonly<Record<string, unknown>>[] | undefined) | undefined;
  readonly waitMs: number;
}

export type Pending = {
  readonly ok: false;
  readonly pending: true;
  readonly flow_id: string;
  readonly message: string;
};

export class Office {
  readonly #options: OfficeOptions;
  #desk: Promise<LoginDesk> | undefined;
  #closed = false;

  constructor(options: OfficeOptions) {
    this.#options = options;
  }

  async start(fields: Fields, listen: boolean) {
    const request = loginRequest(fields);
    const desk = await this.#open();
    const { flow, authUrl, userCode, instructions, leftMs } = await desk.start(request, listen);
    return {
      ok: true as const,
      flow_id: flow.id,
      mode: flow.mode,
      auth_url: authUrl,
      user_code: userCode,
      instructions,
      account_label: request.label,
      network_proxy: maskProxy(request.proxy),
      listening: flow.listener !== undefined,
      expires_at: this.#options.now() + leftMs,
      /** Seconds: the clock of whoever asked may be another. */
      expires_in: Math.round(leftMs / 1000),
    };
  }

  async cancel(flowId: string): Promise<{ readonly cancelled: boolean }> {
    return { cancelled: (await this.#open()).cancel(flowId) };
  }

  async complete(fields: Fields, signal: AbortSignal) {
    const request = loginRequest(fields);
    const flowId = textIn(fields, "flow_id");
    const callback = textIn(fields, "callback_url");
    const desk = await this.#open();
    const provider = request.provider === "" ? undefined : this.#name(request.provider, request.inline !== undefined);
    const result = await desk.complete(flowId, callback, { ...request, provider }, signal);
    if (result) return resultOf(result);
    const message = "the login is not confirmed yet: ask again";
    return { ok: false, pending: true, flow_id: flowId, message } satisfies Pending;
  }

  async import(source: string, name: string, fields: Fields) {
    const request = loginRequest(fields);
    const desk = await this.#open();
    return resultOf(await desk.import(source, name, request));
  }

  list(provider: string) {
    const name = this.#name(provider, false);
    const { accounts, relays } = this.#options;
    accounts.roster.look();
    return relays?.(name) ?? accounts.rows(name);
  }

  async refresh(provider: string, file: string) {
    const name = this.#name(provider, false);
    const { accounts } = this.#options;
    const account = accounts.find(name, file);
    await accounts.renew(name, account, "asked").catch((error: unknown) => {
      if (GatewayError.is(error)) throw error;
      const reason = messageOf(error);
      throw new GatewayError("OAUTH_REFRESH", 400, `the token of ${account.target} was not renewed: ${reason}`);
    });
    return accounts.rows(name).find((row) => row.credential_file === account.path);
  }

  async refreshAll(provider: string, onlyExpiring: boolean) {
    return this.#options.accounts.refresh(this.#name(provider, false), { onlyExpiring });
  }

  async remove(provider: string, file: string): Promise<{ readonly file: string }> {
    const name = this.#name(provider, false);
    const { accounts } = this.#options;
    const account = accounts.find(name, file);
    const { files } = accounts.roster.settings(name);
    await accounts.remove(name, account);
    if (files.length > 0)
      await this.#writeList(
        name,
        files.filter((one) => accounts.roster.files.pathOf(one) !== account.path),
      );
    return { file: account.path };
  }

  /** ClawGo's actions on one account. */
  async change(provider: string, fields: Fields): Promise<unknown> {
    const name = provider || textIn(fields, "provider");
    const file = textIn(fields, "credential_file");
    switch (textIn(fields, "action")) {
      case "refresh":
        return { ok: true, account: await this.refresh(name, file) };
      case "delete":
        await this.remove(name, file);
        return { ok: true, deleted: true };
      case "clear_cooldown":
        this.clearCooldown(name, file);
        return { ok: true, cleared: true };
      default:
        throw new GatewayError("BAD_REQUEST", 400, "unsupported action");
    }
  }

  clearCooldown(provider: string, file: string): void {
    const name = this.#name(provider, false);
    const { accounts, standings } = this.#options;
    standings.clear(name, accounts.credential(name, accounts.find(name, file)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#desk)?.close();
  }

  #open(): Promise<LoginDesk> {
    if (this.#closed) throw new GatewayError("SHUTTING_DOWN", 503, "The gateway is closing. Try again.");
    this.#desk ??= this.#makeDesk();
    return this.#desk;
  }

  async #makeDesk(): Promise<LoginDesk> {
    const { accounts, fetch, now, waitMs } = this.#options;
    const { LoginDesk } = await import("./desk.ts");
    return new LoginDesk({
      accounts,
      fetch,
      now,
      waitMs,
      settings: (request) => this.#settings(request),
      listed: (settings, account) => this.#listed(settings, account),
    });
  }

  #settings({ provider, inline, whole }: LoginRequest): OauthSettings {
    const { env, accounts } = this.#options;
    const name = this.#name(provider, inline !== undefined);
    if (!inline) return accounts.roster.settings(name);
    const stored = accounts.roster.section(name);
    const settings = readOauth({ provider: name, stored, inline, env });
    return stored ? settings : { ...settings, unsaved: newSection(name, whole) };
  }

  /** The exact name first, then one that means the same vendor. `free`: a provider that the config does not hold yet. */
  #name(given: string, free: boolean): string {
    const { accounts, primary } = this.#options;
    const { roster } = accounts;
    const name = given.trim() || primary();
    if (roster.section(name)) return name;
    const alike = roster.providers().find((one) => vendorName(one) === vendorName(name));
    if (alike !== undefined && usesAccounts(roster.section(alike))) return alike;
    if (free && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
    throw new GatewayError("OAUTH_CONFIG", 400, `provider "${name.slice(0, 100)}" not found`);
  }

  /** A new provider is saved with its first account. Who lists files in the config finds the new one there too; else the folder is the list. */
  async #listed({ provider, files, vendor, unsaved }: OauthSettings, account: Account): Promise<void> {
    const { accounts, config } = this.#options;
    const isNew = unsaved !== undefined && accounts.roster.section(provider) === undefined;
    if (!isNew && files.length === 0) return;
    const path = `models.providers[${JSON.stringify(provider)}]`;
    try {
      if (isNew)
        await config.write([{ path, value: unsaved }], { who: "api", why: `login of the new provider ${provider}` });
      else await this.#writeList(provider, [...files, account.path]);
    } catch (error) {
      await accounts.remove(provider, account);
      const reason = messageOf(error);
      const message = `the account of ${vendor.name} was not added: ${isNew ? path : `${path}.oauth.credential_files`} cannot be written: ${reason}`;
      throw new GatewayError("OAUTH_UNWRITABLE", 500, message, undefined, { cause: error });
    }
  }

  async #writeList(provider: string, files: readonly string[]): Promise<void> {
    const at = `models.providers[${JSON.stringify(provider)}].oauth`;
    const edits = [
      { path: `${at}.credential_file`, value: files[0] },
      { path: `${at}.credential_files`, value: files.length > 0 ? [...files] : undefined },
    ];
    // Nothing but these two keys is touched, however much shorter the file gets.
    const why = "the accounts of a provider changed";
    await this.#options.config.write(edits, { who: "plugin:providers", why, force: true });
  }
}

function resultOf({ account, models }: LoginResult) {
  return {
    ok: true as const,
    account: labelOf(account.session) || account.target,
    credential_file: account.path,
    network_proxy: maskProxy(account.session.network_proxy),
    models,
  };
}
