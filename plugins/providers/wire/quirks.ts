/** How one provider differs from its wire. */
import { presetNamed, type Quirks } from "../presets.ts";
import type { ProviderSpec } from "../settings.ts";

const none: Quirks = {};

export function quirksOf(spec: ProviderSpec): Quirks {
  return presetNamed(spec.preset)?.quirks ?? none;
}

/** OpenAI's own rules hold where OpenAI's own hosts answer; a proxy in front of them usually takes more. */
export function isStrict(spec: ProviderSpec, quirks: Quirks): boolean {
  return quirks.strict?.some((end) => new URL(spec.origin).hostname.endsWith(end)) ?? false;
}

/** OpenAI's models that always think: they refuse `temperature` and `top_p`. */
export function thinksAlways(model: string): boolean {
  return /^(?:gpt-(?:[5-9]|\d{2})(?!\d*-chat)|o\d|codex)/i.test(model);
}

/** Name and value, unless the provider's own headers have that name already. */
export function unlessSet(spec: ProviderSpec, name: string, value: string): readonly string[] {
  for (let at = 0; at < spec.headers.length; at += 2) if (spec.headers[at] === name) return [];
  return [name, value];
}

/** Requests may be signed with accounts of a vendor that takes less from them than from keys. */
export function isBare(spec: ProviderSpec, quirks: Quirks): boolean {
  return quirks.bareAccounts === true && (spec.mode === "oauth" || spec.mode === "hybrid");
}
