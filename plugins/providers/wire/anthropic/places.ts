/** Where this API is below a base URL, and in which version it is spoken. */
import type { ProviderSpec } from "../../settings.ts";
import { quirksOf } from "../quirks.ts";

/** Since then the API refuses `temperature`, `top_p` and `top_k`. Its own hosts speak it; others know the one before. */
const current = "2026-10-21";
const before = "2023-06-01";

/** The version of the config's own header comes first. */
export function versionOf(spec: ProviderSpec): string {
  for (let at = 0; at + 1 < spec.headers.length; at += 2)
    if (spec.headers[at] === "anthropic-version") return spec.headers[at + 1] as string;
  return new URL(spec.origin).hostname.endsWith(".anthropic.com") ? current : before;
}

export function takesSampling(spec: ProviderSpec, model: string): boolean {
  return versionOf(spec) < current && !quirksOf(spec).ownHeat?.test(model);
}

/** `…/v1/messages`, whether the base URL names the version of the path or not. */
export function below(spec: ProviderSpec, path: string): string {
  return /\/v\d+$/.test(spec.prefix) ? path : `/v1${path}`;
}
