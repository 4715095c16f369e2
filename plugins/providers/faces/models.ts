/** Which models a provider serves, written to the config or asked of the provider itself, and how many tokens they see in a text. */
import { GatewayError } from "@chela/sdk";
import { wireFor } from "../call.ts";
import { unknownModel } from "../catalogue.ts";
import { fieldsOf, textIn } from "../fields.ts";
import type { ProvidersContext } from "../index.ts";
import { offline } from "../offline/model.ts";
import { asDependency } from "../probe.ts";
import type { Upstreams } from "../upstreams.ts";
import { listModels, countTokens as vendorCount } from "../wire/list.ts";
import { findSpec, modelList } from "./runtime.ts";

interface Entry {
  readonly models?: readonly (string | { readonly id?: unknown })[];
}

/** `{ok, models}`. What the config says about a model that stays is kept. */
export async function replaceModels(ctx: ProvidersContext, upstreams: Upstreams, body: unknown): Promise<unknown> {
  const fields = fieldsOf(body);
  const models = modelList(fields);
  const { name, source } = findSpec(upstreams, textIn(fields, "provider"));
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
  const asked = upstreams.aside(spec, signal, (options) => listModels(spec, options));
  return { provider: spec.name, models: await asked.catch(asDependency) };
}

/** `tokens` is null where the provider does not count. */
export async function countTokens(
  upstreams: Upstreams,
  { model = upstreams.primary(), text, system }: { model?: string; text: string; system?: string },
  signal: AbortSignal,
): Promise<unknown> {
  const messages = [
    ...(system ? [{ role: "system" as const, content: system }] : []),
    { role: "user" as const, content: text },
  ];
  const upstream = upstreams.upstream(model);
  if (!upstream && model !== offline.id) throw unknownModel(model);
  if (!upstream || !(await wireFor(upstream.spec.wire)).count) return { model, tokens: null };
  const asked = upstreams.aside(model, signal, (options) => vendorCount(upstream, { model, messages }, options));
  return { model, tokens: (await asked.catch(asDependency)) ?? null };
}
