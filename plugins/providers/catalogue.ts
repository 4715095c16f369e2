/** The models that can be asked, in the order of their providers; the offline one is always the last. */
import { GatewayError, type ModelInfo } from "@chela/sdk";
import { offline } from "./offline/model.ts";
import type { ProviderSpec } from "./settings.ts";

export function catalogue(specs: readonly ProviderSpec[]): readonly ModelInfo[] {
  const models = specs.flatMap((spec) =>
    [...spec.models, ...(spec.open ? ["*"] : [])].map((model) => info(spec, model)),
  );
  return [...models, { id: offline.id, provider: offline.provider, model: offline.model, source: "builtin" }];
}

function info(spec: ProviderSpec, model: string): ModelInfo {
  return { id: `${spec.name}/${model}`, provider: spec.name, model, source: spec.source, ...spec.facts.get(model) };
}

/** Whom a request without a name means: the provider of the primary model, where that is the offline one the first. */
export function primaryProvider(primary: string, specs: readonly ProviderSpec[]): string {
  const [name = ""] = primary.split("/", 1);
  return name === offline.provider ? (specs[0]?.name ?? "") : name;
}

export function unknownModel(id: string): GatewayError {
  return new GatewayError(
    "MODEL_UNKNOWN",
    404,
    `The model "${id.slice(0, 200)}" does not exist. GET /v1/models lists those that can be asked.`,
  );
}
