/** Which models a provider serves: written to the config, or asked of the provider itself. */
import { GatewayError } from "@chela/sdk";
import type { ProvidersContext } from "../index.ts";
import { asDependency } from "../probe.ts";
import type { Upstreams } from "../upstreams.ts";
import { findSpec, modelList } from "./runtime.ts";

interface Entry {
  readonly models?: readonly (string | { readonly id?: unknown })[];
}

/** `{ok, models}`. What the config says about a model that stays is kept. */
export async function replaceModels(ctx: ProvidersContext, upstreams: Upstreams, body: unknown): Promise<unknown> {
  const models = modelList(body);
  const { name, source } = findSpec(upstreams, (body as { provider?: unknown }).provider);
  if (source !== "config") {
    const message = `provider "${name}" was found on this machine and is not in the config; add it to models.providers first`;
    throw new GatewayError("PROVIDER_NOT_CONFIGURED", 400, message);
  }
  const { config } = ctx.use;
  const path = `models.providers[${JSON.stringify(name)}]`;
  const entry = config.get(path, "file").value as Entry | undefined;
  const known = new Map(entry?.models?.map((model) => [typeof model === "string" ? model : String(model.id), model]));
  const value = models.map((model) => known.get(model) ?? model);
  await config.write([{ path: `${path}.models`, value }], { who: "api", why: `models of ${name}` });
  return { ok: true, models };
}

/** Asks with each credential in turn until one may. */
export async function upstreamModels(upstreams: Upstreams, provider: string, signal: AbortSignal): Promise<unknown> {
  const spec = findSpec(upstreams, provider);
  return { provider: spec.name, models: await upstreams.upstreamModels(spec, signal).catch(asDependency) };
}
