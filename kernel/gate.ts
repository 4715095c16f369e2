/**
 * The one way in: every entrance (HTTP route, static file, WebSocket upgrade, RPC method, tool call) asks here who is
 * asking and whether they may. Settings are read live at each call; nothing is captured.
 */
import type { IncomingMessage } from "node:http";
import type { Access, Credentials, Identity, Want } from "@chela/sdk";
import { Authenticator } from "./auth/authenticate.ts";
import { corsHeaders } from "./auth/cors.ts";
import { readCredentials } from "./auth/credentials.ts";
import { AuthLimiter } from "./auth/limiter.ts";
import { checkOrigin } from "./auth/origin.ts";
import type { ResolvedAuth } from "./auth/settings.ts";
import type { Generation } from "./compose.ts";
import type { GatewaySettings } from "./config/gateway-schema.ts";

export interface GateHost {
  settings(): GatewaySettings;
  auth(): ResolvedAuth;
  now(): number;
}

export interface Entrance {
  readonly kind: "route" | "stream" | "static";
  readonly access: Access;
}

export class Gate {
  readonly #host: GateHost;
  readonly #authenticator: Authenticator;

  constructor(host: GateHost) {
    this.#host = host;
    const limiter = new AuthLimiter({
      max: () => host.settings().auth.maxFailuresPerMinute,
      windowMs: 60_000,
      now: host.now,
    });
    this.#authenticator = new Authenticator({ limiter, settings: () => host.auth() });
  }

  credentials(req: IncomingMessage, search: string, kind: Entrance["kind"]): Credentials {
    const query = search.length > 1 ? new URLSearchParams(search) : undefined;
    const source = { headers: req.headers, query, peer: req.socket.remoteAddress, allowReferer: kind === "static" };
    return readCredentials(source, this.#host.auth(), kind === "stream" ? "stream" : "route");
  }

  /** CORS headers for any reply to this request; nothing without an Origin. */
  cors(req: IncomingMessage): Readonly<Record<string, string>> {
    return corsHeaders(req.headers, this.#host.auth());
  }

  /** Throws UNAUTHORIZED, RATE_LIMITED or ORIGIN. A public entrance lets the anonymous in. */
  async identify(
    req: IncomingMessage,
    credentials: Credentials,
    generation: Generation,
    entrance: Entrance,
  ): Promise<Identity> {
    const facts = { method: req.method ?? "GET", headers: req.headers, credentials };
    checkOrigin(facts, entrance.kind === "stream" ? "stream" : "route", this.#host.auth());
    return this.#authenticator.authenticate(
      credentials,
      (c) => generation.hooks.run("auth:identify", c),
      entrance.access,
    );
  }

  /** Who these credentials are now, without counting a failure: for sockets that are open already. */
  async recheck(credentials: Credentials, generation: Generation): Promise<Identity | undefined> {
    return generation.hooks.run("auth:identify", credentials);
  }

  /** Throws the refusal of any `auth:authorize` tap. */
  async authorize(identity: Identity, want: Want, generation: Generation): Promise<void> {
    const refusal = await generation.hooks.run("auth:authorize", identity, want);
    if (refusal) throw refusal;
  }
}
