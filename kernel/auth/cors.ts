/** The CORS headers of ClawGo's contract, for allowed origins only. Nothing of the request is echoed unchecked. */
import type { IncomingHttpHeaders } from "node:http";
import { originAllowed } from "./origin.ts";
import type { ResolvedAuth } from "./settings.ts";

const nothing: Readonly<Record<string, string>> = Object.freeze({});
const varyOnly: Readonly<Record<string, string>> = Object.freeze({ vary: "Origin" });
const defaultMethods = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
const defaultHeaders = "Authorization, Content-Type, X-Requested-With, Accept, Origin, Cache-Control, Pragma";
const methodPattern = /^[A-Za-z]{1,32}$/;
const headersPattern = /^[A-Za-z0-9_\-, ]{1,1024}$/;

/** Headers for any reply, 401 and 404 included. Empty without an Origin. */
export function corsHeaders(
  headers: IncomingHttpHeaders,
  settings: Pick<ResolvedAuth, "origins" | "hostNames">,
): Readonly<Record<string, string>> {
  const { origin, host } = headers;
  if (origin === undefined) return nothing;
  if (!originAllowed(origin, host, settings) || !isPlain(origin)) return varyOnly;
  return {
    "access-control-allow-origin": origin,
    vary: "Origin",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": echo(headers["access-control-request-method"], methodPattern, defaultMethods),
    "access-control-allow-headers": echo(headers["access-control-request-headers"], headersPattern, defaultHeaders),
    "access-control-expose-headers": "*",
    "access-control-max-age": "86400",
  };
}

function echo(asked: string | undefined, pattern: RegExp, otherwise: string): string {
  return asked !== undefined && pattern.test(asked) ? asked : otherwise;
}

function isPlain(origin: string): boolean {
  return origin.length <= 512 && /^[\x21-\x7e]+$/.test(origin);
}
