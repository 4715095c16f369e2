/**
 * `gateway.auth` and its neighbours, resolved: one plain value that everything in this folder reads through a getter on
 * every call, so that a rotated token or a new origin counts from the next request on.
 */
import { hash } from "node:crypto";
import { hostname } from "node:os";
import { GatewayError, type Scope } from "@chela/sdk";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import { isLoopback, normaliseAddress, type ProxyTest, parseRange, proxyTest } from "./address.ts";
import { originKey } from "./host-name.ts";

export type AuthMode = "token" | "password" | "trusted-proxy" | "none";

export interface ResolvedAuth {
  readonly mode: AuthMode;
  /** SHA-256 of the token; undefined when there is none. */
  readonly tokenDigest: Uint8Array | undefined;
  readonly passwordDigest: Uint8Array | undefined;
  /** True when the operator chose the secret (or the proxy); false for the generated token and for none. */
  readonly chosen: boolean;
  readonly trustedProxy: {
    readonly userHeader: string;
    readonly allowLoopback: boolean;
    /** Undefined: whoever the proxy names. Empty: nobody. */
    readonly allowUsers: ReadonlySet<string> | undefined;
    readonly scopes: readonly Scope[];
  };
  readonly trusts: ProxyTest;
  /** Normalised entries of `gateway.controlUi.allowedOrigins`. */
  readonly origins: ReadonlySet<string>;
  /** Host names, besides localhost and addresses, that mean this machine. */
  readonly hostNames: ReadonlySet<string>;
  /** Of the page's session: another one for each gateway, because cookies do not know of ports. */
  readonly cookieName: string;
  readonly maxFailuresPerMinute: number;
  /** Why nobody could be authenticated, as a sentence that says what to set. */
  readonly problem: string | undefined;
  /** Entries that were set but cannot mean anything. */
  readonly warnings: readonly string[];
  /** Says so when the chosen secret is short enough to be guessed. */
  readonly weak: string | undefined;
}

const weakBelow = 16;

/** Resolves the section. `generatedToken` counts only where the operator set neither token nor password. */
export function resolveAuth(gateway: GatewaySettings, generatedToken: string, stateDir = ""): ResolvedAuth {
  const { auth } = gateway;
  const password = auth.password.trim();
  const chosenToken = auth.token.trim() || gateway.token.trim();
  const token = chosenToken || generatedToken.trim();
  const mode: AuthMode = auth.mode || (password === "" ? "token" : "password");
  const unreadable = gateway.trustedProxies.filter((entry) => parseRange(entry) === undefined);
  const warnings = unreadable.map(
    (entry) =>
      `gateway.trustedProxies: ${JSON.stringify(entry)} is neither an address nor a CIDR range and trusts nobody`,
  );
  const secret = mode === "password" ? password : chosenToken;
  const isWeak = mode !== "none" && mode !== "trusted-proxy" && secret !== "" && secret.length < weakBelow;
  return {
    mode,
    tokenDigest: token === "" ? undefined : sha256(token),
    passwordDigest: password === "" ? undefined : sha256(password),
    chosen: mode === "trusted-proxy" || (mode !== "none" && secret !== ""),
    trustedProxy: {
      userHeader: auth.trustedProxy.userHeader.trim().toLowerCase(),
      allowLoopback: auth.trustedProxy.allowLoopback,
      allowUsers: auth.trustedProxy.allowUsers && new Set(auth.trustedProxy.allowUsers),
      scopes: auth.trustedProxy.scopes,
    },
    trusts: proxyTest(gateway.trustedProxies),
    origins: new Set(gateway.controlUi.allowedOrigins.map(originKey)),
    hostNames: machineNames(gateway.host),
    // Containers on one machine may all have the same path.
    cookieName: `chela_token_${hash("sha256", `${stateDir} ${generatedToken}`).slice(0, 8)}`,
    maxFailuresPerMinute: auth.maxFailuresPerMinute,
    problem: problemOf(mode, { token, password, gateway }),
    warnings,
    weak: isWeak ? `gateway.auth.${mode} has fewer than ${weakBelow} characters; use a long random one` : undefined,
  };
}

function problemOf(
  mode: AuthMode,
  has: { token: string; password: string; gateway: GatewaySettings },
): string | undefined {
  if (mode === "token" && has.token === "")
    return "gateway.auth.mode is token, but no token is set; set gateway.auth.token";
  if (mode === "password" && has.password === "") {
    return "gateway.auth.mode is password, but no password is set; set gateway.auth.password";
  }
  if (mode !== "trusted-proxy") return undefined;
  const ranges = has.gateway.trustedProxies.map(parseRange).filter((range) => range !== undefined);
  const set = "set gateway.trustedProxies to the addresses of your proxies";
  if (ranges.length === 0) return `gateway.auth.mode is trusted-proxy, but no proxy is trusted; ${set}`;
  if (ranges.some(({ prefix }) => prefix === 0)) {
    return `gateway.trustedProxies trusts every address, so anybody could name any user; ${set}`;
  }
  return undefined;
}

/**
 * A getter that resolves anew only when the section or the generated token is another one. This is what the rest of the
 * folder is handed: nobody keeps what it returns.
 */
export function liveAuth(
  section: () => GatewaySettings,
  generatedToken: () => string,
  stateDir?: string,
): () => ResolvedAuth {
  let from: GatewaySettings | undefined;
  let token = "";
  let resolved: ResolvedAuth | undefined;
  return () => {
    const now = section();
    const generated = generatedToken();
    if (resolved === undefined || now !== from || generated !== token) {
      from = now;
      token = generated;
      resolved = resolveAuth(now, generated, stateDir);
    }
    return resolved;
  };
}

/** Refuses to open the port to others without working auth; else the sentence to warn with, if there is one. */
export function requireAuthForBind(auth: ResolvedAuth, host: string): string | undefined {
  if (isLoopbackHost(host)) return undefined;
  const open =
    "gateway.auth.mode is none, which serves this machine only; set gateway.auth.token, or gateway.bind to loopback";
  const problem = auth.mode === "none" ? open : auth.problem;
  if (problem !== undefined) {
    throw new GatewayError("AUTH_BIND", 500, `refusing to listen on ${host || "all interfaces"}: ${problem}`);
  }
  return auth.weak;
}

/** The address to listen on. `auto` opens up only for a secret that the operator chose. */
export function bindHost(gateway: Pick<GatewaySettings, "host" | "bind">, auth: ResolvedAuth): string {
  const host = gateway.host.trim().replace(/^\[(.*)\]$/, "$1");
  if (host !== "") return host;
  const wide = gateway.bind === "lan" || (gateway.bind === "auto" && auth.chosen && auth.problem === undefined);
  return wide ? "0.0.0.0" : "127.0.0.1";
}

/** True for a listening address that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === "localhost" || isLoopback(normaliseAddress(host));
}

/** SHA-256 as 32 bytes. */
export function sha256(secret: string): Uint8Array {
  return hash("sha256", secret, "buffer");
}

function machineNames(configured: string): ReadonlySet<string> {
  const name = hostname().toLowerCase();
  const names = name === "" ? [] : [name, `${name}.local`];
  const host = configured.trim().toLowerCase();
  if (host !== "" && normaliseAddress(host) === "") names.push(host);
  return new Set(names);
}
