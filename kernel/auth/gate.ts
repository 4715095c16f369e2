/**
 * The one way in: every entrance (HTTP route, static file, WebSocket upgrade, RPC method, tool call) asks here who is
 * asking and whether they may. Settings are read live at each call; nothing is captured.
 */
import type { IncomingMessage } from "node:http";
import type { Credentials, GatewayError, Identity, Want } from "@chela/sdk";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import type { Generation } from "../host/compose.ts";
import { kernelId } from "../host/plan.ts";
import { Authenticator } from "./authenticate.ts";
import { corsHeaders } from "./cors.ts";
import { DigestCache, readCredentials } from "./credentials.ts";
import { AuthLimiter } from "./limiter.ts";
import { checkOrigin } from "./origin.ts";
import type { ResolvedAuth } from "./settings.ts";
import { authorizeTap } from "./taps.ts";

export interface GateHost {
  settings(): GatewaySettings;
  auth(): ResolvedAuth;
  now(): number;
}

export class Gate {
  readonly #host: GateHost;
  readonly #authenticator: Authenticator;
  readonly #authorize = authorizeTap();
  readonly #digests = new DigestCache();

  constructor(host: GateHost) {
    this.#host = host;
    const limiter = new AuthLimiter({
      max: () => host.settings().auth.maxFailuresPerMinute,
      windowMs: 60_000,
      now: host.now,
    });
    this.#authenticator = new Authenticator({ limiter, settings: () => host.auth() });
  }

  credentials(req: IncomingMessage, search: string, kind: "route" | "stream" | "static"): Credentials {
    const query = search.length > 1 ? new URLSearchParams(search) : undefined;
    const source = {
      headers: req.headers,
      query,
      peer: req.socket.remoteAddress,
      allowReferer: kind === "static",
      digests: this.#digests,
    };
    return readCredentials(source, this.#host.auth(), kind === "stream" ? "stream" : "route");
  }

  /** CORS headers for any reply to this request; nothing without an Origin. */
  cors(req: IncomingMessage): Readonly<Record<string, string>> {
    return corsHeaders(req.headers, this.#host.auth());
  }

  /** Throws (or rejects with) UNAUTHORIZED, RATE_LIMITED or ORIGIN. A public entrance lets the anonymous in. */
  identify(
    req: Pick<IncomingMessage, "method" | "headers">,
    credentials: Credentials,
    generation: Generation,
    want: Pick<Want, "what" | "access">,
  ): Identity | Promise<Identity> {
    const facts = { method: req.method ?? "GET", headers: req.headers, credentials };
    checkOrigin(facts, want.what === "stream" ? "stream" : "route", this.#host.auth());
    return this.#authenticator.authenticate(credentials, (c) => generation.hooks.run("auth:identify", c), want.access);
  }

  /** Who these credentials are now, without counting a failure: for sockets that are open already. */
  async recheck(credentials: Credentials, generation: Generation): Promise<Identity | undefined> {
    return generation.hooks.run("auth:identify", credentials);
  }

  /**
   * Throws (or rejects with) the refusal of any `auth:authorize` tap. Nobody is asked about a public entrance. Taps that
   * answer at once cost no promise, and where only the kernel taps the hook its tap is called itself.
   */
  authorize(identity: Identity, want: Want, generation: Generation): Promise<void> | undefined {
    if (want.access === "public") return undefined;
    const refusal = generation.hooks.has("auth:authorize", kernelId)
      ? generation.hooks.authorize(identity, want)
      : this.#authorize(identity, want);
    if (refusal instanceof Promise) return refused(refusal);
    if (refusal) throw refusal;
    return undefined;
  }
}

async function refused(asked: Promise<GatewayError | undefined>): Promise<void> {
  const refusal = await asked;
  if (refusal) throw refusal;
}
