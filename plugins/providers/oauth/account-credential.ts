/** An account as failover sees it: a credential that renews its token when it must, and signs with what the vendor wants. */
import { type Cancellation, GatewayError, messageOf } from "@chela/sdk";
import type { Credential, Signed } from "../credentials/credential.ts";
import type { Account } from "./account.ts";
import type { OauthAccounts } from "./accounts.ts";
import { OauthRefusal } from "./refusal.ts";
import { type OauthSettings, originOf } from "./settings.ts";

export class AccountCredential implements Credential {
  readonly kind = "oauth";
  readonly id: string;
  readonly account: Account;
  readonly #accounts: OauthAccounts;
  readonly #provider: string;
  readonly #now: () => number;

  constructor(accounts: OauthAccounts, provider: string, account: Account, now: () => number) {
    this.id = account.id;
    this.account = account;
    this.#accounts = accounts;
    this.#provider = provider;
    this.#now = now;
  }

  get target(): string {
    return this.account.target;
  }

  async token(signal: Cancellation): Promise<Signed> {
    const { account } = this;
    if (account.session.disabled)
      throw this.#fault(new Error(`is disabled (${account.session.disable_reason}): log in again`));
    const dead = account.dead;
    const renewable = account.session.refresh_token !== "";
    if (dead || account.unsaved || (renewable && account.expiring(this.#now()))) {
      const usable = !dead && account.session.expire > this.#now();
      try {
        await leaving(this.#accounts.renew(this.#provider, account, dead ? "refused" : "expiring"), signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        // What is about to end is good until it has ended.
        if (!usable || account.session.disabled) throw this.#fault(error);
      }
    }
    return this.#signed();
  }

  refused(token: string): boolean {
    const { session } = this.account;
    return this.account.refuse(token === session.api_key ? session.access_token : token, this.#now());
  }

  /** The upstream said that the account is at its end: `token_revoked`, `deactivated_workspace`. */
  async disable(reason: string): Promise<void> {
    await this.#accounts.disable(this.#provider, this.account, reason);
  }

  #signed(): Signed {
    const settings = this.#accounts.roster.settings(this.#provider);
    const { access_token, api_key, account_id, project_id, resource_url, network_proxy } = this.account.session;
    const proxy = network_proxy || settings.proxy;
    const baseUrl = baseOf(resource_url, settings) ?? settings.accountBase;
    return {
      token: api_key || access_token,
      account: {
        ...(account_id ? { id: account_id } : {}),
        ...(project_id ? { projectId: project_id } : {}),
        ...(baseUrl ? { baseUrl } : {}),
        ...(proxy ? { proxy } : {}),
      },
    };
  }

  #fault(error: unknown): GatewayError {
    const [code, status] = codeOf(error);
    const message = messageOf(error);
    const text = `${this.#provider}: the account ${this.target}: ${message}`;
    return new GatewayError(code, status, text, undefined, { cause: error });
  }
}

/** A network that fails says nothing about the account. */
function codeOf(error: unknown): readonly [string, number] {
  const code = GatewayError.is(error) ? error.code : (error as { name?: unknown } | null)?.name;
  if (code === "OUTBOUND_TIMEOUT" || code === "TimeoutError") return ["UPSTREAM_TIMEOUT", 504];
  if (code === "OUTBOUND_FAILED") return ["UPSTREAM_UNREACHABLE", 502];
  if (code === "OAUTH_UNWRITABLE") return ["UPSTREAM_FAULT", 502];
  if (!(error instanceof OauthRefusal)) return ["UPSTREAM_AUTH", 502];
  if (error.status === 429) return ["UPSTREAM_RATE", 429];
  return error.status >= 500 ? ["UPSTREAM_FAULT", 502] : ["UPSTREAM_AUTH", 502];
}

/** Where the vendor says that this account's API is: a public https host, or an origin that the operator named. */
function baseOf(resource: string, { trust, apiBase }: Pick<OauthSettings, "trust" | "apiBase">): string | undefined {
  if (resource === "") return undefined;
  const text = resource.includes("://") ? resource : `https://${resource}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPublic =
    url.protocol === "https:" &&
    /\.[a-z]{2,}$/i.test(url.hostname) &&
    !/\.(?:localhost|local|internal)$/i.test(url.hostname);
  if (!isPublic && !trust.includes(originOf(text))) return undefined;
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${path || (apiBase === "" ? "" : new URL(apiBase).pathname.replace(/\/+$/, ""))}`;
}

/** The caller may leave; what it waited for goes on for the others. */
function leaving<T>(work: Promise<T>, signal: Cancellation): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
