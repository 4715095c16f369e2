/** What the way of a request is made of: what it asks of the host, and what is known of one request so far. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayError, Identity } from "@chela/sdk";
import type { Gate } from "../auth/gate.ts";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import type { FaultReporter } from "../hooks.ts";
import type { Generation } from "../host/compose.ts";
import type { Stats } from "../host/stats.ts";
import type { Instance } from "../instance/instance.ts";
import type { RequestView } from "./request-view.ts";

export interface DispatchHost {
  current(): Generation;
  settings(): GatewaySettings;
  readiness(): { readonly ready: boolean };
  readonly gate: Gate;
  readonly stats: Stats;
  readonly report: FaultReporter;
  readonly uploadDir: string;
  requestId(): string;
  requestLog(entry: {
    id: string;
    method: string;
    path: string;
    status: number;
    ms: number;
    error?: GatewayError;
  }): void;
}

/** What is known of one request so far. */
export interface Exchange {
  readonly id: string;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly generation: Generation;
  readonly from: number;
  path: string;
  /** What was taken off the path: the base path, or nothing. */
  base: string;
  search: string;
  /** For figures: the route's pattern, never the client's path. */
  label: string;
  identity: Identity | undefined;
  view: RequestView | undefined;
  /** Whose work in flight it is. */
  owner: Instance | undefined;
}
