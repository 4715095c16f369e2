/** `/api/provider/runtime` and `/api/provider/models`, as ClawGo answers them. Loaded on the first request. */
import { GatewayError } from "@chela/sdk";
import { primaryProvider } from "../catalogue.ts";
import { type Fields, fieldIn, fieldsOf, invalidJson, textIn } from "../fields.ts";
import { presetCalled } from "../presets.ts";
import type { Summary } from "../runtime/summary.ts";
import { runtimeQuery } from "../runtime/view.ts";
import type { ProviderSpec } from "../settings.ts";
import type { Upstreams } from "../upstreams.ts";

/** Trimmed; empty: the primary provider. An exact name first, then another name of the same vendor. */
export function findSpec(upstreams: Upstreams, wanted: string): ProviderSpec {
  const specs = upstreams.specs();
  const name = wanted.trim() || primaryProvider(upstreams.primary(), specs);
  const found = specs.find((one) => one.name === name) ?? specs.find((one) => plain(one.name) === plain(name));
  if (found) return found;
  throw new GatewayError("PROVIDER_UNKNOWN", 400, `provider "${name.slice(0, 100)}" not found`);
}

function plain(name: string): string {
  return presetCalled(name)?.name ?? name.toLowerCase().replaceAll("_", "-");
}

export async function runtimeView(upstreams: Upstreams, query: Readonly<Record<string, unknown>>): Promise<unknown> {
  await upstreams.runtime.ready;
  return { ok: true, view: { items: upstreams.runtime.items(runtimeQuery(query)) } };
}

export async function runtimeAction(upstreams: Upstreams, body: unknown): Promise<unknown> {
  const fields = fieldsOf(body);
  const action = textIn(fields, "action").toLowerCase();
  const onlyExpiring = fieldIn(fields, "only_expiring") ?? false;
  if (typeof onlyExpiring !== "boolean") throw invalidJson();
  const { runtime } = upstreams;
  await runtime.ready;
  const spec = findSpec(upstreams, textIn(fields, "provider"));
  switch (action) {
    case "clear_api_cooldown":
      runtime.clearKeys(spec.name);
      return { ok: true, cleared: true };
    case "clear_history":
      await runtime.clearHistory(spec.name);
      return { ok: true, cleared: true };
    case "refresh_now": {
      const result = await runtime.refresh(spec, onlyExpiring);
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

/** `models` of a provider replaced by what is sent: `models` and `model`, trimmed, each once. */
export function modelList(fields: Fields): readonly string[] {
  const models = fieldIn(fields, "models") ?? [];
  if (!Array.isArray(models)) throw invalidJson();
  const names = [...models.map((name: unknown) => name ?? ""), textIn(fields, "model")];
  if (!names.every((name) => typeof name === "string")) throw invalidJson();
  const list = names.map((name) => name.trim()).filter((name) => name !== "");
  if (list.length === 0) throw new GatewayError("MODEL_REQUIRED", 400, "model required");
  return [...new Set(list)];
}
