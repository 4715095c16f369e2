/** What vendors tell about their models: their names, page by page and bounded, and how many tokens a request has. */
import type { ModelRequest } from "@chela/sdk";
import { errorText, wireFor, withSecret } from "../call.ts";
import { statusFault } from "../failover/faults.ts";
import { type CallOptions, type Carrier, carry, type Upstream } from "../send.ts";
import type { ProviderSpec } from "../settings.ts";
import { parseObject } from "./assembly.ts";

export type ListOptions = Pick<CallOptions, "pools" | "signed" | "signal" | "relay"> &
  Partial<Pick<CallOptions, "totalMs" | "firstByteMs">>;

const maxBytes = 8 * 1024 * 1024;
const maxPages = 20;
const maxModels = 5000;
const longestName = 200;

/** Names of the models that the provider says it has, in its order. */
export async function listModels(spec: ProviderSpec, options: ListOptions): Promise<readonly string[]> {
  const { list, sign, request } = await wireFor(spec.wire);
  const upstream: Upstream = { id: `${spec.name}/*`, provider: spec.name, model: "*", secrets: spec.secrets, spec };
  // Headers of the wire itself, such as its version.
  const { headers } = request({ model: "*", messages: [] }, "*", spec);
  const found = new Set<string>();
  let next: string | undefined;
  for (let page = 0; page < maxPages && found.size < maxModels; page++) {
    const path = list.path(spec, next);
    const signed = [...headers, ...sign(options.signed, spec)];
    const told = list.read(await ask({ upstream, method: "GET", path, headers: signed, body: null }, options));
    for (const id of told.ids) if (id !== "" && id.length <= longestName && found.size < maxModels) found.add(id);
    if (told.next === undefined || told.next === next) break;
    next = told.next;
  }
  return [...found];
}

/** Undefined where the vendor does not count. */
export async function countTokens(
  upstream: Upstream,
  request: ModelRequest,
  options: ListOptions,
): Promise<number | undefined> {
  const { spec } = upstream;
  const { count, sign } = await wireFor(spec.wire);
  if (!count) return undefined;
  const { path, body, headers } = count.request(request, upstream.model, spec);
  const signed = [...headers, ...sign(options.signed, spec)];
  return count.read(await ask({ upstream, path, headers: signed, body, extra: request.extra }, options));
}

async function ask(carrier: Carrier, options: ListOptions): Promise<Readonly<Record<string, unknown>>> {
  const upstream = withSecret(carrier.upstream, options.signed);
  const { timeoutMs } = upstream.spec;
  const answer = await carry(
    { ...carrier, upstream },
    { totalMs: timeoutMs, firstByteMs: timeoutMs, ...options },
    maxBytes,
  );
  if (answer.status >= 300) throw statusFault(upstream, answer.status, answer.headers, await errorText(answer));
  return parseObject(await answer.text(maxBytes), upstream);
}
