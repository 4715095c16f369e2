/**
 * The door to undici, and the one way out for plugins: a fetch that only reaches public addresses. The address is judged
 * inside the connector's lookup, so what was checked is what gets connected, and again on every redirect. An exact
 * origin on the trust list is reached wherever it lies. Proxies named in the environment are not used.
 */
import type { LookupFunction } from "node:net";
import { GatewayError } from "@chela/sdk";
import type { Agent } from "undici";
import { followRedirect, type Hop, parseTarget, redirectTarget } from "./fetch-redirect.ts";

export interface Answer {
  readonly address: string;
  readonly family: number;
}

export interface GuardedFetchOptions {
  /** Exact origins (`http://127.0.0.1:11434`) that may be private. Asked at each request. */
  trust(): readonly string[];
  /** All addresses of a name. Default: the system's resolver. */
  readonly lookup?: (name: string) => Promise<readonly Answer[]>;
  /** Default 5. */
  readonly maxRedirects?: number;
  /** Bytes of one response, decompressed. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Longest wait for the connection, the headers, and each chunk of the body. Default 30 s. */
  readonly stallMs?: number;
}

/** `patient`: no limit of time between two chunks and none of bytes; for streams, whose reader keeps count himself. */
export type GuardedInit = RequestInit & { trust?: readonly string[]; patient?: boolean };

export interface GuardedFetch {
  (url: string | URL, init?: GuardedInit): Promise<Response>;
  /** Closes kept-alive connections. */
  close(): Promise<void>;
}

/** What the first call loads, and keeps. */
interface Wire {
  readonly guarded: Agent;
  readonly trusted: Agent;
  /** The same for streams. */
  readonly patient: { readonly guarded: Agent; readonly trusted: Agent };
  /** A literal address never reaches the connector's lookup, so it is judged before. */
  assertPublicName(url: URL): void;
}

export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { lookup = resolveAll, stallMs = 30_000, maxBytes = 64 * 1024 * 1024, maxRedirects = 5 } = options;
  let wire: Promise<Wire> | undefined;
  const run = async (input: string | URL, init: GuardedInit = {}): Promise<Response> => {
    const { trust = [], patient = false, ...rest } = init;
    const origins = new Set([...options.trust(), ...trust].map((origin) => parseTarget(origin).origin));
    wire ??= openWire(lookup, stallMs);
    const opened = await wire;
    const { guarded, trusted: free } = patient ? opened.patient : opened;
    const { assertPublicName } = opened;
    let hop: Hop = { url: parseTarget(input), init: rest };
    for (let left = maxRedirects; ; left -= 1) {
      const isTrusted = origins.has(hop.url.origin);
      if (!isTrusted) assertPublicName(hop.url);
      const response = await send(hop, isTrusted ? free : guarded);
      const next = rest.redirect === "manual" ? undefined : redirectTarget(response, hop.url);
      if (next === undefined) return bounded(response, hop.url, patient ? Number.POSITIVE_INFINITY : maxBytes);
      await response.body?.cancel();
      if (rest.redirect === "error" || left <= 0) {
        throw new GatewayError(
          "OUTBOUND_REDIRECTS",
          502,
          `${hop.url.origin} redirects more often than this call allows`,
        );
      }
      hop = followRedirect(hop, next, response.status);
    }
  };
  const close = async () => {
    const opened = await wire;
    wire = undefined;
    const { guarded, trusted, patient } = opened ?? {};
    // A stream that may last for ever is not waited for.
    await Promise.all([guarded?.close(), trusted?.close(), patient?.guarded.destroy(), patient?.trusted.destroy()]);
  };
  return Object.assign(run, { close });
}

async function openWire(lookup: (name: string) => Promise<readonly Answer[]>, stallMs: number): Promise<Wire> {
  const [{ Agent }, { isAddress, isPublicAddress }] = await Promise.all([import("undici"), import("./addresses.ts")]);
  const limits = { headersTimeout: stallMs, bodyTimeout: stallMs };
  /** One private address among several is enough to refuse the name: the next connection could take that one. */
  const assertAllPublic = (name: string, answers: readonly Answer[]) => {
    const offender = answers.find(({ address }) => !isPublicAddress(address));
    if (offender) throw refused(`${name} resolves to ${offender.address}`);
  };
  const pair = (waits: typeof limits) => ({
    guarded: new Agent({ ...waits, connect: { timeout: stallMs, lookup: connectorLookup(lookup, assertAllPublic) } }),
    trusted: new Agent({ ...waits, connect: { timeout: stallMs, lookup: connectorLookup(lookup, () => undefined) } }),
  });
  return {
    ...pair(limits),
    patient: pair({ headersTimeout: 0, bodyTimeout: 0 }),
    assertPublicName: ({ hostname }) => {
      const local = hostname === "localhost" || hostname.endsWith(".localhost");
      if (local || (isAddress(hostname) && !isPublicAddress(hostname))) throw refused(hostname);
    },
  };
}

/** What the socket asks right before it connects: it gets the addresses that were judged, and no others. */
function connectorLookup(
  lookup: (name: string) => Promise<readonly Answer[]>,
  judge: (name: string, answers: readonly Answer[]) => void,
): LookupFunction {
  const resolve = async (name: string, family: unknown): Promise<Answer[]> => {
    const answers = await lookup(name);
    judge(name, answers);
    const usable = answers.filter((answer) => (family === 4 || family === 6 ? answer.family === family : true));
    if (usable.length > 0) return usable;
    throw new GatewayError("OUTBOUND_FAILED", 502, `the name ${name} has no address`);
  };
  return (name, options, callback) => {
    resolve(name, options.family).then(
      (answers) => {
        const [first] = answers;
        if (options.all) callback(null, answers);
        else callback(null, first?.address ?? "", first?.family);
      },
      (error) => callback(error, "", 0),
    );
  };
}

async function resolveAll(name: string): Promise<readonly Answer[]> {
  const dns = await import("node:dns/promises");
  return dns.lookup(name, { all: true });
}

function refused(what: string): GatewayError {
  const message = `outbound request refused: ${what} is not a public address (a plugin that needs it names the origin in \`trust\`)`;
  return new GatewayError("OUTBOUND_REFUSED", 403, message);
}

async function send(hop: Hop, dispatcher: Agent): Promise<Response> {
  try {
    return await fetch(hop.url, { ...hop.init, redirect: "manual", dispatcher: dispatcher as never });
  } catch (error) {
    if (hop.init.signal?.aborted) throw error;
    throw explain(error, hop.url);
  }
}

function explain(error: unknown, url: URL): GatewayError {
  const cause = (error as { cause?: unknown }).cause ?? error;
  if (GatewayError.is(cause)) return cause;
  const { code = "", message = String(cause) } = cause as { code?: string; message?: string };
  if (/TIMEOUT|ETIMEDOUT/.test(code)) {
    return new GatewayError("OUTBOUND_TIMEOUT", 504, `${url.origin} did not answer in time`, undefined, {
      cause: error,
    });
  }
  return new GatewayError("OUTBOUND_FAILED", 502, `${url.origin} cannot be reached: ${message}`, undefined, {
    cause: error,
  });
}

/** The same response with a body that fails at the limit, so that nobody buffers a bomb. */
function bounded(response: Response, url: URL, maxBytes: number): Response {
  if (response.body === null) return response;
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) return controller.enqueue(chunk);
      throw new GatewayError("OUTBOUND_TOO_LARGE", 502, `${url.origin} answered with more than ${maxBytes} bytes`);
    },
  });
  const { status, statusText, headers } = response;
  const limited = new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  return Object.defineProperty(limited, "url", { value: url.href });
}
