/** Logins that have begun: each has an id nobody can guess, ends by itself, and is finished once. */
import { randomBytes } from "node:crypto";
import { GatewayError } from "@chela/sdk";
import type { Account } from "./account.ts";
import type { Listener } from "./callback.ts";
import type { Session } from "./session.ts";
import type { OauthSettings } from "./settings.ts";
import type { Transport } from "./transport.ts";
import type { FlowKind } from "./vendors.ts";

/** What a finished login says. */
export interface LoginResult {
  readonly account: Account;
  readonly models: readonly string[] | null;
}

/** Tokens that wait for the account's label. */
export interface Nameless {
  readonly session: Session;
  readonly models: readonly string[] | null;
}

export interface Flow {
  readonly id: string;
  readonly mode: FlowKind;
  readonly settings: OauthSettings;
  readonly send: Transport;
  readonly label: string;
  readonly proxy: string | undefined;
  readonly state: string;
  readonly verifier: string;
  readonly deviceId: string;
  readonly abort: AbortController;
  /** Runs by itself until the login is over: a device flow, or a code flow that listens. Never rejects unheard. */
  background?: Promise<LoginResult | Nameless>;
  listener?: Listener;
  timer?: NodeJS.Timeout;
}

/** How long somebody may take to come back with a code. */
export const codeFlowMs = 10 * 60_000;

const maxFlows = 32;

export class Flows {
  readonly #flows = new Map<string, Flow>();

  /** The oldest makes room. */
  add(flow: Flow, liveMs: number): void {
    const [oldest] = this.#flows.values();
    if (oldest && this.#flows.size >= maxFlows) this.end(oldest, "too many logins were begun after it");
    flow.timer = setTimeout(() => this.end(flow, "the login was not finished in time"), liveMs);
    flow.timer.unref();
    this.#flows.set(flow.id, flow);
  }

  /** Throws when it is over, was finished before, or belongs to another provider. */
  get(id: string, provider: string | undefined): Flow {
    const flow = this.#flows.get(id);
    if (!flow || (provider !== undefined && flow.settings.provider !== provider))
      throw new GatewayError("OAUTH_FLOW", 400, "oauth flow not found");
    return flow;
  }

  /** Nobody finishes it a second time. */
  end(flow: Flow, why: string): void {
    this.#flows.delete(flow.id);
    clearTimeout(flow.timer);
    flow.listener?.close();
    flow.abort.abort(new GatewayError("OAUTH_FLOW", 400, `oauth flow not found: ${why}`));
  }

  /** Somebody gave it up: what waits for it ends, and its port is free. */
  cancel(id: string): boolean {
    const flow = this.#flows.get(id);
    if (flow) this.end(flow, "it was cancelled");
    return flow !== undefined;
  }

  /** It is finished: no other call finds it, what it still does goes on. */
  take(flow: Flow): void {
    this.#flows.delete(flow.id);
    clearTimeout(flow.timer);
    flow.listener?.close();
  }

  close(): void {
    for (const flow of [...this.#flows.values()]) this.end(flow, "the gateway is closing");
  }

  get size(): number {
    return this.#flows.size;
  }
}

export function randomText(bytes: number): string {
  return randomBytes(bytes).toString("base64url");
}
