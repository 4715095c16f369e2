/**
 * What the rest of the plugin works with, made from the `models` section. A provider that cannot be used is left out and
 * named as a problem; the others serve. Nothing here throws, whatever stands in the file.
 */
import { createHash } from "node:crypto";
import { isObject, type ModelInfo } from "@chela/sdk";
import type { Strategy } from "./failover/spread.ts";
import { presetOf, wireOf } from "./presets.ts";
import type { ModelsSection, OAuthSection, ProviderSection, ResponsesSection } from "./schema.ts";
import { baseOf, fits, keysOf, type Problem, problemsOf } from "./settings-check.ts";
import type { WireName } from "./wire/dialect.ts";

export type AuthMode = "key" | "oauth" | "hybrid" | "none";

/** A provider as the wire needs it. */
export interface ProviderSpec {
  readonly name: string;
  readonly source: ModelInfo["source"];
  /** Name of its preset, or `generic`. */
  readonly preset: string;
  readonly wire: WireName;
  readonly transport: "http" | "relay";
  readonly origin: string;
  /** Path of the base URL, without a slash at its end. */
  readonly prefix: string;
  /** `?api-version=…` for every request, or nothing. */
  readonly query: string;
  /** The base URL as it is configured, for people. */
  readonly base: string;
  /** Name, value, name, value …; nothing of the credential. */
  readonly headers: string[];
  /** What of them, and of the keys, never may be told. */
  readonly secrets: readonly string[];
  /** What the config says, for people: ``, `bearer`, `oauth` … */
  readonly auth: string;
  readonly mode: AuthMode;
  readonly keys: readonly string[];
  /** Which of its keys, or accounts, is asked first. */
  readonly strategy: Strategy;
  readonly oauth: OAuthSection | undefined;
  readonly proxy: string | undefined;
  readonly responses: ResponsesSection;
  readonly models: readonly string[];
  /** What the config says about some of them. */
  readonly facts: ReadonlyMap<string, ModelFacts>;
  /** Models that are not listed pass too. */
  readonly open: boolean;
  readonly timeoutMs: number;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  /** Ask for a usage chunk at the end of a stream. */
  readonly usage: boolean;
  readonly persist: boolean;
  readonly historyMax: number;
  /** Changes with the address: what is known about a key belongs to it. */
  readonly fingerprint: string;
}

export type ModelFacts = Pick<ModelInfo, "contextWindow" | "images">;

export interface Settings {
  readonly providers: readonly ProviderSpec[];
  readonly fallbacks: readonly string[] | undefined;
  readonly requestMs: number;
  readonly problems: readonly Problem[];
}

const defaultHistory = 24;
const mostHistory = 1000;

export function readSettings(section: ModelsSection): Settings {
  const problems: Problem[] = [];
  const providers: ProviderSpec[] = [];
  const entries = isObject(section) && isObject(section.providers) ? section.providers : {};
  for (const [name, entry] of Object.entries(entries)) {
    if (!fits(entry)) continue;
    const found = problemsOf(name, entry);
    problems.push(...found);
    if (found.every((problem) => problem.level !== "error")) providers.push(toSpec(name, entry, "config"));
  }
  return {
    providers,
    fallbacks: section?.fallbacks,
    requestMs: milliseconds(section?.request_timeout_sec ?? 600),
    problems,
  };
}

export function toSpec(name: string, entry: ProviderSection, source: ModelInfo["source"]): ProviderSpec {
  const preset = presetOf(name, entry);
  const base = baseOf(name, entry);
  const url = new URL(base);
  const own = Object.entries(entry.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "chela/1.0",
    ...Object.fromEntries(own),
  };
  const mode = modeOf(entry, preset?.auth);
  const keys = mode === "key" || mode === "hybrid" ? keysOf(entry) : [];
  return {
    name,
    source,
    preset: preset?.name ?? "generic",
    wire: preset?.wire ?? wireOf(undefined, entry),
    transport: preset?.transport ?? "http",
    origin: url.origin,
    // The address of the one endpoint is often given instead of the base.
    prefix: url.pathname.replace(/(\/(?:chat\/completions|responses|messages))?\/*$/, ""),
    query: queryOf(entry),
    base,
    headers: Object.entries(headers).flat(),
    secrets: [...keysOf(entry), ...own.map(([, value]) => value)],
    auth: entry.auth ?? "",
    mode,
    keys,
    strategy: (entry.strategy || "order") as Strategy,
    oauth: entry.oauth,
    proxy: entry.oauth?.network_proxy?.trim() || undefined,
    responses: entry.responses ?? {},
    ...limitsOf(entry),
    persist: entry.runtime_persist === true,
    historyMax: Math.min(Math.max(Math.trunc(entry.runtime_history_max || defaultHistory), 1), mostHistory),
    fingerprint: createHash("sha256").update(url.href).digest("hex").slice(0, 16),
  };
}

function limitsOf(
  entry: ProviderSection,
): Pick<ProviderSpec, "models" | "facts" | "open" | "timeoutMs" | "maxTokens" | "temperature" | "usage"> {
  const models = modelIds(entry);
  return {
    models: models.filter((model) => model !== "*"),
    facts: factsOf(entry),
    open: models.length === 0 || models.includes("*"),
    timeoutMs: milliseconds(entry.timeout_sec ?? 90),
    maxTokens: entry.max_tokens || undefined,
    temperature: entry.temperature,
    usage: entry.responses?.stream_include_usage !== false,
  };
}

function modeOf(entry: ProviderSection, preset: "none" | undefined): AuthMode {
  const { auth = "" } = entry;
  if (auth === "oauth" || auth === "hybrid" || auth === "none") return auth;
  return auth === "" && preset === "none" && keysOf(entry).length === 0 ? "none" : "key";
}

/** As much as a timer can hold: more would be taken for nothing. */
function milliseconds(seconds: number): number {
  return Math.min(seconds * 1000, 2_147_483_647);
}

function modelIds(entry: ProviderSection): string[] {
  const ids = (entry.models ?? []).map((model) => (typeof model === "string" ? model : model.id));
  return [...new Set(ids.map((id) => id.trim()).filter((id) => id !== ""))];
}

/** From entries that are objects: `context_window`, `images`, or OpenClaw's `contextWindow` and `input`. */
function factsOf(entry: ProviderSection): ReadonlyMap<string, ModelFacts> {
  const facts = new Map<string, ModelFacts>();
  for (const model of entry.models ?? []) {
    if (typeof model === "string") continue;
    const { id, context_window, contextWindow, images, input } = model as Record<string, unknown>;
    const size = Number(context_window ?? contextWindow);
    const takes = typeof images === "boolean" ? images : Array.isArray(input) ? input.includes("image") : undefined;
    facts.set(String(id).trim(), {
      ...(size > 0 ? { contextWindow: size } : {}),
      ...(takes === undefined ? {} : { images: takes }),
    });
  }
  return facts;
}

function queryOf(entry: ProviderSection): string {
  const version = (entry as { api_version?: unknown }).api_version;
  return typeof version === "string" && version !== "" ? `?api-version=${encodeURIComponent(version)}` : "";
}
