/**
 * Looks for models where none is configured: API keys in the environment and OpenAI-compatible servers on local ports.
 * A port counts only when its `/v1/models` answers with an OpenAI list, so that a stranger on 8080 is never asked.
 */

import { get, type IncomingMessage } from "node:http";
import { whole } from "../http/whole.ts";
import { type ProviderSpec, toSpec } from "../settings.ts";
import { localServers, vendors } from "./vendors.ts";

export interface DiscoveryOptions {
  /** What is known already: it comes first, since somebody set a key on purpose. */
  readonly keyed: readonly ProviderSpec[];
  readonly host: string;
  readonly ports: readonly number[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const maxListBytes = 1024 * 1024;
const maxModels = 500;

/** False when the environment says so. */
export function discoveryAllowed(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(off|0|false|no)$/i.test(env.CHELA_DISCOVERY ?? "");
}

/** `keyed`, then local servers in the order of their ports. */
export async function discover(options: DiscoveryOptions): Promise<readonly ProviderSpec[]> {
  const local = await Promise.all(options.ports.map((port) => probe(port, options)));
  const found = [...options.keyed, ...local.flatMap((spec) => spec ?? [])];
  return found.filter((spec, index) => found.findIndex((other) => other.name === spec.name) === index);
}

/** Vendors whose key is set. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): readonly ProviderSpec[] {
  return vendors.flatMap((vendor) => {
    const key = env[vendor.key]?.trim();
    const base = (vendor.baseKey && env[vendor.baseKey]?.trim()) || vendor.base;
    if (!key || /[^\x21-\x7e]/.test(key) || !/^https?:\/\//.test(base) || !URL.canParse(base)) return [];
    return [toSpec(vendor.name, { api_base: base, api_key: key, models: [...vendor.models, "*"] }, "discovered")];
  });
}

async function probe(port: number, { host, timeoutMs, signal }: DiscoveryOptions): Promise<ProviderSpec | undefined> {
  const base = `http://${host.includes(":") ? `[${host}]` : host}:${port}/v1`;
  try {
    const models = readList(
      await fetchText(`${base}/models`, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])),
    );
    if (models.length === 0) return undefined;
    return toSpec(localServers.get(port) ?? `local-${port}`, { api_base: base, models: [...models] }, "discovered");
  } catch {
    // Nobody there, or nobody who speaks this API: the usual case.
    return undefined;
  }
}

/** Model ids of an OpenAI list; empty for anything else, and for another gateway of our kind (two would ask each other for ever). */
function readList(text: string): readonly string[] {
  const { object, data } = JSON.parse(text) as { object?: unknown; data?: unknown };
  if (object !== "list" || !Array.isArray(data)) return [];
  const rows = (data as { id?: unknown; owned_by?: unknown }[]).slice(0, maxModels);
  if (rows.some((row) => row?.owned_by === "chela" || row?.owned_by === "openclaw")) return [];
  return rows.flatMap((row) => (typeof row?.id === "string" && row.id !== "" && row.id.length <= 200 ? [row.id] : []));
}

function fetchText(url: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal, agent: false, headers: { accept: "application/json" } }, (reply) => {
      if (reply.statusCode !== 200) {
        reply.destroy();
        reject(new Error(`status ${reply.statusCode}`));
      } else readText(reply).then(resolve, reject);
    });
    request.on("error", reject);
  });
}

async function readText(reply: IncomingMessage): Promise<string> {
  return (await whole(reply, maxListBytes, () => new Error("list too large"))).toString("utf8");
}
