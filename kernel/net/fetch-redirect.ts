/** Redirects of the guarded fetch: where the next hop goes and what may travel with it. */
import { GatewayError } from "@chela/sdk";

export interface Hop {
  readonly url: URL;
  readonly init: RequestInit;
}

/** What may follow a redirect to another origin; credentials and headers of the caller's own never do. */
const harmlessHeaders: ReadonlySet<string> = new Set(["accept", "accept-language", "user-agent"]);
const redirectStatus: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An http(s) URL whose host has one spelling: `localhost.` is `localhost`. */
export function parseTarget(input: string | URL, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(input, base);
  } catch {
    throw new GatewayError(
      "OUTBOUND_URL",
      400,
      `${JSON.stringify(String(input).slice(0, 200))} is not an absolute URL`,
    );
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new GatewayError("OUTBOUND_URL", 400, `${url.protocol} is not fetched; use http: or https:`);
  }
  if (url.hostname.endsWith(".")) url.hostname = url.hostname.replace(/\.+$/, "");
  return url;
}

/** Undefined when the response is an answer rather than a redirect. */
export function redirectTarget(response: Response, from: URL): URL | undefined {
  const location = redirectStatus.has(response.status) ? response.headers.get("location") : null;
  return location === null ? undefined : parseTarget(location, from);
}

export function followRedirect(hop: Hop, url: URL, status: number): Hop {
  const { body, ...rest } = hop.init;
  const method = (rest.method ?? "GET").toUpperCase();
  const headers = new Headers(rest.headers);
  const foreign = url.origin !== hop.url.origin;
  const becomesGet = status === 303 ? method !== "HEAD" : status < 303 && method === "POST";
  if (foreign) for (const name of [...headers.keys()]) if (!harmlessHeaders.has(name)) headers.delete(name);
  if (becomesGet) for (const name of [...headers.keys()]) if (name.startsWith("content-")) headers.delete(name);
  if (foreign || becomesGet || body === undefined || body === null) {
    return { url, init: { ...rest, method: becomesGet ? "GET" : method, headers } };
  }
  if (typeof body === "object" && Symbol.asyncIterator in body) {
    throw new GatewayError(
      "OUTBOUND_REDIRECTS",
      502,
      `${hop.url.origin} redirects, but a streamed body cannot be sent twice`,
    );
  }
  return { url, init: { ...rest, method, headers, body } };
}
