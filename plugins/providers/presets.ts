/**
 * What is known of vendors, as data: their wire, their address, their models and where they differ from their wire. A
 * provider gets the preset of its `preset`, else of its OAuth vendor, its name or the host of its `api_base`; whatever its
 * config says itself comes before the preset. Names are ClawGo's kinds with their aliases.
 */
import { hostedPresets } from "./preset-hosted.ts";
import { chatPresets, type Preset, vendorPresets } from "./preset-list.ts";
import type { WireName } from "./wire/dialect.ts";

export type { Preset, Quirks } from "./preset-list.ts";

export const presets: readonly Preset[] = [...vendorPresets, ...chatPresets, ...hostedPresets];

/** What of a provider's config decides about its preset. */
export interface PresetClues {
  readonly preset?: unknown;
  readonly api?: unknown;
  readonly api_base?: unknown;
  readonly baseUrl?: unknown;
  readonly responses?: unknown;
  readonly oauth?: unknown;
}

const byAlias = new Map(
  presets.flatMap((preset) => [preset.name, ...preset.aliases].map((name) => [name, preset] as const)),
);
/** The first of those that share a host. */
const byHost = new Map(
  presets
    .toReversed()
    .flatMap((preset) => (preset.base && preset.port === undefined ? [[hostOf(preset.base), preset] as const] : [])),
);

/** What a config may call a wire. */
export const wireNames: Readonly<Record<string, WireName>> = {
  chat: "chat",
  chat_completions: "chat",
  "openai-completions": "chat",
  responses: "responses",
  "openai-responses": "responses",
  anthropic: "anthropic",
  "anthropic-messages": "anthropic",
  gemini: "gemini",
  "google-generative-ai": "gemini",
};

/** The preset of a provider, with the wire that this provider speaks. Undefined: nothing is known but the wire `wireOf` says. */
export function presetOf(name: string, clues: PresetClues = {}): Preset | undefined {
  const preset = found(name, clues);
  if (!preset) return undefined;
  const wire = wireOf(preset, clues);
  return wire === preset.wire ? preset : { ...preset, wire };
}

/** `api`, then for what speaks OpenAI's API `responses.api`, then what the address says of itself, then the preset. */
export function wireOf(preset: Preset | undefined, clues: PresetClues): WireName {
  const told = wireNames[String(clues.api ?? "").toLowerCase()];
  if (told) return told;
  const base = String(clues.api_base ?? clues.baseUrl ?? "").replace(/\/+$/, "");
  const own = preset?.wire ?? "chat";
  if (/\/anthropic(?:\/v1)?$/.test(base)) return "anthropic";
  if (own === "gemini" && base.endsWith("/openai")) return "chat";
  if (own !== "chat" && own !== "responses") return own;
  const responses = String((clues.responses as { api?: unknown } | undefined)?.api ?? "");
  return wireNames[responses] ?? own;
}

/** By its own name. */
export function presetNamed(name: string): Preset | undefined {
  return byAlias.get(name);
}

/** By whatever people call it. */
export function presetCalled(name: string): Preset | undefined {
  return byAlias.get(plain(name));
}

function found(name: string, { preset, oauth, api_base, baseUrl }: PresetClues): Preset | undefined {
  if (typeof preset === "string" && preset !== "") return presetCalled(preset);
  const vendor = (oauth as { provider?: unknown } | undefined)?.provider;
  const named = presetCalled(String(vendor || name));
  // A name that stands for a wire of its own is meant; else the host knows better whose quirks these are.
  if (named && named.wire !== "chat") return named;
  return byHost.get(hostOf(String(api_base ?? baseUrl ?? ""))) ?? named;
}

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll("_", "-");
}

function hostOf(base: string): string {
  return URL.canParse(base) ? new URL(base).hostname : "";
}
