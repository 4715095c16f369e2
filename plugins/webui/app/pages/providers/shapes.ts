/** What the gateway tells of model providers. */

export interface Candidate {
  readonly kind: "api_key" | "oauth" | "relay";
  /** A masked key or the name of an account; absent: nothing is signed. */
  readonly target?: string;
  readonly available: boolean;
  readonly cooldown_until?: string;
  readonly requests?: number;
  readonly health_score: number;
}

/** Somebody who is not asked for a while. */
export interface Rest {
  /** `provider/model`; absent: all models of the credential. */
  readonly model?: string;
  readonly credential: string;
  readonly reason: string;
  /** Null: until its credential changes. */
  readonly seconds: number | null;
}

export interface Account {
  readonly email: string;
  readonly account_id: string;
  /** Empty: a page of the relay, which is nobody's login. */
  readonly credential_file: string;
  readonly account_label?: string;
  readonly expire?: string;
  readonly last_refresh?: string;
  readonly network_proxy?: string;
  readonly disabled?: boolean;
  readonly disable_reason?: string;
  readonly cooldown_until?: string;
  readonly health_score?: number;
  readonly plan_type?: string;
  readonly balance_label?: string;
}

export type Auth = "api_key" | "bearer" | "none" | "oauth" | "hybrid";

export interface Provider {
  readonly name: string;
  readonly source: "config" | "discovered";
  readonly preset: string;
  readonly wire: string;
  readonly auth: Auth;
  readonly api_base: string;
  readonly models: readonly string[];
  /** Models that are not listed pass too. */
  readonly open: boolean;
  readonly primary: boolean;
  readonly status: "healthy" | "degraded" | "critical";
  readonly strategy: string;
  readonly candidates: readonly Candidate[] | null;
  readonly accounts: readonly Account[] | null;
  readonly last_success_at: string | null;
  readonly last_error_at: string | null;
  readonly last_error_reason: string | null;
  readonly cooldowns: readonly Rest[];
}

export interface Problem {
  readonly path: string;
  readonly message: string;
}

export interface Listing {
  readonly primary: string;
  readonly fallbacks: readonly string[];
  readonly providers: readonly Provider[];
  readonly problems: readonly Problem[];
  /** Names in the config, also of those that cannot be used. */
  readonly configured: readonly string[];
  /** When it was asked for. */
  readonly at: number;
}

export interface Model {
  /** provider/model */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly contextWindow?: number;
  readonly images?: boolean;
}

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cached?: number;
}

export interface Preset {
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly string[];
  readonly wire: string;
  readonly api_base: string | null;
  readonly models: readonly string[];
  readonly auth: readonly Auth[];
  readonly needs: readonly string[];
  readonly login: {
    readonly vendor: string;
    readonly client_secret: boolean;
    readonly label: boolean;
    readonly client_set: boolean;
  } | null;
  readonly env: string | null;
  readonly local: boolean;
  readonly relay: boolean;
}

/** Something of the list changed when one of these is told. */
export const providerEvents = [
  "config_changed",
  "plugin_state",
  "providers.discovered",
  "provider_account_added",
  "provider_account_removed",
  "provider_account_disabled",
  "provider_account_renewed",
  "provider_rests_changed",
  "relay_connected",
  "relay_disconnected",
] as const;

export function usesAccounts({ auth }: Pick<Provider, "auth">): boolean {
  return auth === "oauth" || auth === "hybrid";
}

/** Nobody could be asked: it has accounts only, and none of them. */
export function isLoggedOut({ auth, accounts }: Pick<Provider, "auth" | "accounts">): boolean {
  return auth === "oauth" && (accounts ?? []).length === 0;
}

/** Who is there, without those that only were found. */
export function isConfigured({ source }: Provider): boolean {
  return source === "config";
}

/** What keeps a provider of the config from being used. Names may hold dots: the longest that fits is the one meant. */
export function problemOf(
  { problems, configured }: Pick<Listing, "problems" | "configured">,
  name: string,
): Problem | undefined {
  const isAbout = ({ path }: Problem, one: string) => `${path}.`.startsWith(`models.providers.${one}.`);
  const isOther = (problem: Problem) =>
    configured.some((other) => other.length > name.length && isAbout(problem, other));
  return problems.find((problem) => isAbout(problem, name) && !isOther(problem));
}
