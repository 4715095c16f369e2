/** The running gateway (provided by the host): status, figures, the RPC door and what the references are generated from. */

import type { Access, Identity } from "../identity.ts";
import type { RouteRequest } from "../request.ts";
import { defineService } from "../service.ts";

/** What `chela status` shows; no secret. */
export interface GatewayStatus {
  readonly version: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly ready: boolean;
  readonly safeMode: boolean;
  /** Why safe mode, and how to leave it; empty otherwise. */
  readonly safeModeReason: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly authMode: string;
  readonly generation: number;
  readonly sockets: number;
  readonly node: string;
}

/** Requests to one route, by status. */
export interface RouteStats {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly count: number;
  /** Sum of seconds. */
  readonly seconds: number;
  /** Cumulative counts for `buckets`. */
  readonly buckets: readonly number[];
}

/** The figures behind `/metrics`, counted since the start. */
export interface GatewayStats {
  /** Upper bounds in seconds. */
  readonly buckets: readonly number[];
  readonly routes: readonly RouteStats[];
  readonly hooks: readonly {
    readonly plugin: string;
    readonly hook: string;
    readonly calls: number;
    readonly errors: number;
    readonly seconds: number;
  }[];
  readonly reloads: readonly { readonly result: "ok" | "failed" | "partial"; readonly count: number }[];
  readonly faults: readonly { readonly plugin: string; readonly count: number }[];
  readonly sockets: readonly { readonly stream: string; readonly open: number }[];
}

/** Every health check, run just now. */
export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly plugin: string;
    readonly name: string;
    readonly ok: boolean;
    readonly [fact: string]: unknown;
  }[];
}

/** Asks and steers the running gateway. */
export interface Gateway {
  status(): GatewayStatus;
  stats(): GatewayStats;
  health(): Promise<HealthReport>;
  /** Per plugin: milliseconds and RSS delta of its start. */
  startup(): readonly { readonly id: string; readonly ms: number; readonly rssDelta: number; readonly state: string }[];
  /** Everything live as OpenAPI 3.1; no secret, no config value. */
  openapi(): Readonly<Record<string, unknown>>;
  /** Runs an RPC method after authorisation and validation. Throws GatewayError. */
  call(
    method: string,
    params: unknown,
    call: { identity: Identity; id: string; signal: AbortSignal },
  ): Promise<unknown>;
  methods(): readonly {
    readonly name: string;
    readonly access: string;
    readonly about: string;
    readonly owner: string;
  }[];
  commands(): readonly {
    readonly name: string;
    readonly access: string;
    readonly about: string;
    readonly owner: string;
    readonly args: unknown;
  }[];
  runCommand(
    name: string,
    args: unknown,
    call: { identity: Identity; id: string; signal: AbortSignal },
  ): Promise<unknown>;
  panels(): readonly {
    readonly id: string;
    readonly title: string;
    readonly titles?: Readonly<Record<string, string>>;
    readonly icon: string;
    readonly order?: number;
    readonly module: string;
    readonly access: Access;
    readonly owner: string;
    /** Of the plugin that owns it. */
    readonly version: string;
  }[];
  /**
   * Trades a credential for a cookie that this gateway alone reads: the whole `set-cookie` header, null where the mode of auth
   * needs no secret. Judged and counted as a bearer of the request would be; throws `ORIGIN` 403 for a page that is not allowed.
   */
  signIn(
    credential: string,
    request: RouteRequest,
  ): Promise<{ readonly identity: Identity; readonly cookie: string | null }>;
  /** Takes that cookie back: the header that clears it, and how many WebSockets and streamed replies were open with it. They end. */
  signOut(request: RouteRequest): Promise<{ readonly cookie: string; readonly closed: number }>;
  /** Whether a request brought such a cookie, right or wrong. */
  hasCookie(request: RouteRequest): boolean;
  /** Identifies whatever is open anew: closes (4001) sockets and ends streamed replies whose credential is gone. Call it after revoking one. */
  recheckCredentials(): Promise<number>;
  /**
   * For what begins with a request and outlives it, such as a session: `ended` is called once when the request's credential
   * is gone. Ask while the request is being answered; the returned function forgets it.
   */
  onCredentialEnd(ended: () => void, request: RouteRequest): () => void;
  /** Swaps the listener or, with `full`, every plugin, in this process. */
  restart(options: { full: boolean; why: string }): Promise<void>;
  stop(why: string): void;
}

/** Name it in `needs`. */
export const gateway = defineService<Gateway>("gateway", "1.0.0");
