/** Providers in a list, for people, and the end of their rests. */
import type { ProviderSummary } from "../runtime/summary.ts";
import type { ProviderSpec } from "../settings.ts";
import type { Upstreams } from "../upstreams.ts";
import { findSpec } from "./runtime.ts";

export async function listProviders(upstreams: Upstreams): Promise<unknown> {
  await upstreams.runtime.ready;
  const primary = upstreams.primary();
  const cooling = upstreams.runtime.cooling();
  return {
    primary,
    fallbacks: upstreams.fallbacks(),
    providers: upstreams.specs().map((spec) => {
      const [summary] = upstreams.runtime.summary(spec.name).providers ?? [];
      const cooldowns = cooling.filter(({ provider }) => provider === spec.name);
      return { ...row(spec, primary, summary), cooldowns };
    }),
    problems: upstreams.status().problems,
  };
}

function row(spec: ProviderSpec, primary: string, summary: ProviderSummary | undefined) {
  return {
    name: spec.name,
    source: spec.source,
    /** Where it is configured; null: it was found, and cannot be changed. */
    config_path: spec.source === "config" ? `models.providers[${JSON.stringify(spec.name)}]` : null,
    preset: spec.preset,
    wire: spec.wire,
    auth: spec.auth === "" ? (spec.keys.length > 0 ? "api_key" : "none") : spec.auth,
    api_base: spec.base,
    models: spec.models,
    open: spec.open,
    primary: primary.startsWith(`${spec.name}/`),
    status: summary?.status ?? "healthy",
    strategy: spec.strategy,
    candidates: summary?.candidate_order ?? [],
    accounts: summary?.oauth_accounts ?? [],
    last_success_at: summary?.last_success_at ?? null,
    last_error_at: summary?.last_error_at ?? null,
    last_error_reason: summary?.last_error_reason ?? null,
  };
}

/** Says how many rests ended. */
export async function clearRests(upstreams: Upstreams, provider: string | undefined): Promise<unknown> {
  const { runtime } = upstreams;
  await runtime.ready;
  const names =
    provider === undefined ? upstreams.specs().map(({ name }) => name) : [findSpec(upstreams, provider).name];
  const before = runtime.cooling().length;
  for (const name of names) runtime.clearAll(name);
  return { providers: names, cleared: before - runtime.cooling().length };
}
