/** What the gateway answers to the dashboard's questions, as far as it is shown. */
import type { GatewayStatus, UsageTotals } from "@chela/sdk/panel";

export type { UsageTotals } from "@chela/sdk/panel";

export interface PluginFacts {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly enabled: boolean;
}

export interface Status extends GatewayStatus {
  readonly pending: readonly string[];
  readonly config: {
    readonly trouble: { readonly message: string; readonly line?: number } | null;
    readonly problems: readonly { readonly path: string; readonly message: string }[];
  };
  readonly plugins: readonly PluginFacts[];
}

export interface Machine {
  readonly hostname: string;
  readonly os: string;
  readonly arch: string;
  readonly cpus: number;
  readonly memory: Space;
  readonly disk: Space | null;
  readonly load: readonly number[];
}

export interface Space {
  readonly total: number;
  readonly free: number;
}

export interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly rss: number;
  readonly heap: number;
  readonly lag_p99_ms: number;
  readonly lag_max_ms: number;
  readonly requests: number;
  readonly errors: number;
  readonly sockets: number;
}

export type Condition = "ok" | "degraded" | "down" | "none";

export interface Period {
  readonly at: number;
  readonly status: "ok" | "degraded" | "down" | null;
  readonly failing: readonly string[];
}

export interface History {
  readonly until: number;
  readonly every_ms: number;
  readonly buckets: readonly Period[];
}

export interface Incident {
  readonly id: string;
  readonly check: string | null;
  readonly plugin: string;
  readonly message: string;
  readonly started: number;
  readonly ended: number | null;
  readonly outcome: "recovered" | "unwatched" | "interrupted" | null;
}

export interface Watch {
  readonly enabled: boolean;
  readonly failing: readonly { readonly what: string; readonly reason: string; readonly since: number }[];
}

export interface Check {
  readonly plugin: string;
  readonly name: string;
  readonly ok: boolean;
  readonly [fact: string]: unknown;
}

export interface Cooldown {
  readonly provider: string;
  /** Absent: all of the credential's models. */
  readonly model?: string;
  readonly credential: string;
  readonly reason: string;
  /** Null: until its credential changes. */
  readonly seconds: number | null;
}

export interface Candidate {
  readonly kind: string;
  readonly target?: string;
  readonly available: boolean;
  readonly health_score: number;
}

export interface Provider {
  readonly name: string;
  readonly wire: string;
  readonly primary: boolean;
  readonly status: "healthy" | "degraded" | "critical";
  readonly candidates: readonly Candidate[] | null;
  readonly cooldowns: readonly Cooldown[];
  readonly last_error_at: string | null;
  readonly last_error_reason: string | null;
}

export interface Providers {
  readonly primary: string;
  readonly fallbacks: readonly string[];
  readonly providers: readonly Provider[];
  readonly problems: readonly (string | { readonly message?: string })[];
}

export interface NamedTotals extends UsageTotals {
  readonly name: string;
  readonly label?: string;
}

export interface DayTotals extends NamedTotals {
  readonly parts: readonly NamedTotals[];
  readonly rest: UsageTotals | null;
}

export interface UsageByDay {
  /** Milliseconds since 1970, by the gateway's clock. */
  readonly since: number;
  readonly until: number;
  readonly split: "model" | "provider" | "identity" | "agent";
  readonly total: UsageTotals;
  readonly splits: readonly { readonly name: string; readonly label?: string }[];
  readonly rows: readonly DayTotals[];
}

export interface Startup {
  readonly id: string;
  readonly ms: number;
  readonly rssDelta: number;
}
