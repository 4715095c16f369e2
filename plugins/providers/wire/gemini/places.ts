/** Where this API is below a base URL, and what a model's generation takes. */
import type { ProviderSpec } from "../../settings.ts";
import { quirksOf } from "../quirks.ts";

/** Nothing, where the base URL names the version itself. */
export function version(spec: ProviderSpec): string {
  return /\/v\d+(?:alpha|beta)?\d*(?:\/|$)/.test(spec.prefix) ? "" : "/v1beta";
}

/** `models/x` and `x` are the same model; tuned ones have a folder of their own. */
export function modelName(model: string): string {
  return model.includes("/") ? model : `models/${model}`;
}

export function modelPath(spec: ProviderSpec, model: string, method: string): string {
  if (quirksOf(spec).codeAssist) return `/v1internal${method}`;
  const path = modelName(model).split("/").map(encodeURIComponent).join("/");
  return `${version(spec)}/${path}${method}`;
}

/** Told by name; what has no number is a name for the newest. 0: not one of Google's thinking models. */
export function generation(model: string): number {
  if (!/gemini/i.test(model)) return 0;
  const [, number] = /gemini-(\d+(?:\.\d+)?)/i.exec(model) ?? [];
  return number === undefined ? 3 : Number(number);
}
