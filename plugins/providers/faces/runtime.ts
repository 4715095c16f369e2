/** `/api/provider/runtime` and `/api/provider/models`, as ClawGo answers them. Loaded on the first request. */
import { GatewayError } from "@chela/sdk";
import { presetNamed } from "../presets.ts";
import type { Summary } from "../runtime/summary.ts";
import { runtimeQuery } from "../runtime/view.ts";
import type { ProviderSpec } from "../settings.ts";
import type { Upstreams } from "../upstreams.ts";

/** Trimmed; empty: the provider of the primary model. An exact name first, then another name of the same vendor. */
export function findSpec(upstreams: Upstreams, wanted: unknown): ProviderSpec {
  const name = typeof wanted === "string" ? wanted.trim() : "";
  const specs = upstreams.specs();
  if (name === "") {
    const primary = upstreams.primary();
    const spec = specs.find((one) => primary.startsWith(`${one.name}/`));
    if (spec) return spec;
  }
  const found = specs.find((one) => one.name === name) ?? specs.find((one) => plain(one.name) === plain(name));
  if (found) return found;
  throw new GatewayError("PROVIDER_UNKNOWN", 400, `provider "${name.slice(0, 100)}" not found`);
}

function plain(name: string): string {
  const word = name.toLowerCase().replaceAll("_", "-");
  return presetNamed(word)?.name ?? word;
}

export async function runtimeView(upstreams: Upstreams, query: Readonly<Record<string, unknown>>): Promise<unknown> {
  await upstreams.runtime.ready;
  return { ok: true, view: { items: upstreams.runtime.items(runtimeQuery(query)) } };
}

export async function runtimeAction(upstreams: Upstreams, body: unknown): Promise<unknown> {
  const { provider, action, only_expiring: onlyExpiring } = recordOf(body);
  const { runtime } = upstreams;
  await runtime.ready;
  const spec = findSpec(upstreams, provider);
  switch (typeof action === "string" ? action.trim().toLowerCase() : "") {
    case "clear_api_cooldown":
      runtime.clearKeys(spec.name);
      return { ok: true, cleared: true };
    case "clear_history":
      await runtime.clearHistory(spec.name);
      return { ok: true, cleared: true };
    case "refresh_now": {
      const result = await runtime.refresh(spec, onlyExpiring === true);
      const summary: Summary = runtime.summary(spec.name);
      const order = runtime.order(spec.name);
      return { ok: true, provider: spec.name, refreshed: true, result, candidate_order: order, summary };
    }
    case "rerank":
      return { ok: true, provider: spec.name, reranked: true, candidate_order: runtime.rerank(spec) };
    default:
      throw new GatewayError("PROVIDER_ACTION", 400, "unsupported action");
  }
}

/** `models` of a provider replaced by what is sent: `model` and `models`, trimmed, each once. */
export function modelList(body: unknown): readonly string[] {
  const { model, models } = recordOf(body);
  const names = [...(Array.isArray(models) ? models : []), model];
  const list = names.flatMap((name) => (typeof name === "string" && name.trim() !== "" ? [name.trim()] : []));
  if (list.length === 0) throw new GatewayError("MODEL_REQUIRED", 400, "model required");
  return [...new Set(list)];
}

/** Other things than an object have no fields; ClawGo calls them `invalid json`. */
function recordOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw new GatewayError("INVALID_JSON", 400, "invalid json");
}
