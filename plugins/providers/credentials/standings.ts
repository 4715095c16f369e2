/** How credentials are doing, as the modules that own credentials see it: read for people, told when something changed. Kept in `runtime/`. */
import type { Credential } from "./credential.ts";

/** ClawGo's fields; what is nothing is left out. */
export interface StandingFields {
  /** RFC 3339. */
  readonly cooldown_until?: string;
  readonly failure_count?: number;
  /** The reason of the last failure: `quota`, `rate_limit`, `forbidden` … */
  readonly last_failure?: string;
  /** How often it was asked. */
  readonly requests?: number;
  readonly health_score: number;
}

/** Something that happened to a credential or to the order of candidates. */
export interface Happening {
  readonly kind: "api_key" | "oauth" | "scheduler" | "relay";
  readonly target: string;
  readonly reason: string;
  readonly detail?: string;
}

type Named = Pick<Credential, "id" | "target" | "kind">;

export interface Standings {
  of(provider: string, credentialId: string): StandingFields;
  /** A new token is there: it may be asked at once, and is a little healthier. */
  refreshed(provider: string, credential: Named): void;
  /** Somebody cleared its cooldown. */
  clear(provider: string, credential: Named): void;
  /** `oauth_disabled_*`, `credential_read_failed`, `relay_connected` … for the list of changes. */
  note(provider: string, happening: Happening): void;
}

/** What a refresh of accounts did, as `refresh_now` answers it. */
export interface RefreshResult {
  readonly provider: string;
  readonly checked: number;
  readonly refreshed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly accounts: readonly {
    readonly target: string;
    readonly status: "refreshed" | "skipped" | "failed";
    readonly detail?: string;
    readonly expire?: string;
  }[];
}

/** The accounts of providers with `auth: oauth` or `hybrid`, with what the runtime view shows of them; implemented in `oauth/`. */
export interface AccountsView {
  /** Usable ones, whatever their cooldown; empty when nobody logged in. */
  of(provider: string): readonly Credential[];
  /** ClawGo's account objects, disabled ones included. Never waits for the network. */
  rows(provider: string): readonly Readonly<Record<string, unknown>>[];
  refresh(provider: string, options: { readonly onlyExpiring: boolean }): Promise<RefreshResult>;
}
