/** What may be wrong with a provider's settings beyond the schema; texts read after the path, as `<key> must …`. */
import { isObject } from "@chela/sdk";
import { strategies } from "./failover/spread.ts";
import { presetCalled, presetOf, presets, wireNames } from "./presets.ts";
import type { ProviderSection } from "./schema.ts";

export interface Problem {
  readonly path: string;
  readonly message: string;
  readonly level: "error" | "warning";
}

type Finding = readonly [key: string, message: string] | undefined;

const reserved: ReadonlySet<string> = new Set(["chela", "openclaw", "offline", "agent"]);
const modes: ReadonlySet<string> = new Set(["", "bearer", "api_key", "oauth", "hybrid", "none"]);
const apis: ReadonlySet<string> = new Set(["", "responses", "chat_completions"]);
const wires: ReadonlySet<string> = new Set(["", ...Object.keys(wireNames)]);
const sizes: ReadonlySet<string> = new Set(["", "low", "medium", "high"]);
const unprintable = /[^\t\x20-\x7e\x80-\xff]/;

/** At most one: the first that keeps the provider from being used. */
export function problemsOf(name: string, entry: ProviderSection): Problem[] {
  const found =
    nameProblem(name) ?? addressProblem(name, entry) ?? authProblem(entry) ?? wireProblem(entry) ?? limitProblem(entry);
  if (!found) return [];
  const [key, message] = found;
  const at = `models.providers.${name}`;
  return [{ path: key ? `${at}.${key}` : at, message, level: "error" }];
}

function nameProblem(name: string): Finding {
  if (!reserved.has(name) && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return undefined;
  return ["", "must be named with letters, digits, dots, - or _, and not chela, openclaw, offline or agent"];
}

function addressProblem(name: string, entry: ProviderSection): Finding {
  if (entry.preset && !presetCalled(entry.preset))
    return [
      "preset",
      `must be one of ${presets
        .map((preset) => preset.name)
        .sort()
        .join(", ")}`,
    ];
  const base = baseOf(name, entry);
  if (base === "") return ["api_base", `must be set: no vendor called "${name}" is known that would have an address`];
  if (!isBase(base)) return ["api_base", "must be an http or https URL without user name, query or fragment"];
  return undefined;
}

function authProblem(entry: ProviderSection): Finding {
  const auth = entry.auth ?? "";
  if (!modes.has(auth)) return ["auth", "must be one of api_key, bearer, oauth, hybrid, none"];
  if ((auth === "oauth" || auth === "hybrid") && !entry.oauth?.provider?.trim())
    return ["oauth.provider", `must be set when auth is ${auth}: codex, claude, gemini, qwen, kimi …`];
  if ((entry.oauth?.cooldown_sec ?? 0) < 0) return ["oauth.cooldown_sec", "must be >= 0"];
  if (entry.strategy && !strategies.some((known) => known === entry.strategy))
    return ["strategy", `must be one of ${strategies.join(", ")}`];
  if (unprintable.test((entry.api_key ?? entry.apiKey ?? "").trim())) return ["api_key", "must be one line of text"];
  const bad = (entry.api_keys ?? []).findIndex((key) => unprintable.test(key.trim()));
  return bad < 0 ? undefined : [`api_keys.${bad}`, "must be one line of text"];
}

function wireProblem(entry: ProviderSection): Finding {
  if (!wires.has((entry.api ?? "").toLowerCase()))
    return ["api", "must be one of chat_completions, responses, anthropic, gemini"];
  const { responses } = entry;
  if (!apis.has(responses?.api ?? "")) return ["responses.api", "must be one of responses, chat_completions"];
  if (!sizes.has(responses?.web_search_context_size ?? ""))
    return ["responses.web_search_context_size", "must be one of low, medium, high"];
  if ((responses?.file_search_max_num_results ?? 0) < 0)
    return ["responses.file_search_max_num_results", "must be >= 0"];
  for (const key of ["file_search_vector_store_ids", "include"] as const)
    if (responses?.[key]?.some((one) => one.trim() === "")) return [`responses.${key}`, "must hold no empty text"];
  return undefined;
}

function limitProblem(entry: ProviderSection): Finding {
  if (entry.timeout_sec !== undefined && entry.timeout_sec <= 0) return ["timeout_sec", "must be > 0"];
  if ((entry.max_tokens ?? 0) < 0) return ["max_tokens", "must be >= 0"];
  if ((entry.runtime_history_max ?? 0) < 0) return ["runtime_history_max", "must be >= 0"];
  const header = Object.entries(entry.headers ?? {}).find(
    ([key, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(key) || unprintable.test(value),
  );
  return header ? [`headers.${header[0]}`, "must be a valid HTTP header"] : undefined;
}

/** Whether the schema holds. `config:validate` also sees sections where it does not; those are told by the schema. */
export function fits(entry: unknown): entry is ProviderSection {
  if (!isObject(entry)) return false;
  const { models = [], headers = {}, oauth = {}, responses = {} } = entry;
  const { api_base, baseUrl, api_key, apiKey, auth, preset, api, strategy } = entry;
  return (
    [api_base, baseUrl, api_key, apiKey, auth, preset, api, strategy].every(isText) &&
    isList(entry.api_keys) &&
    Array.isArray(models) &&
    models.every((model: unknown) => typeof model === "string" || (isObject(model) && typeof model.id === "string")) &&
    isObject(headers) &&
    Object.values(headers).every((value) => typeof value === "string") &&
    isObject(oauth) &&
    [oauth.provider, oauth.network_proxy].every(isText) &&
    isObject(responses) &&
    [responses.api, responses.web_search_context_size].every(isText) &&
    isList(responses.include) &&
    isList(responses.file_search_vector_store_ids)
  );
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isList(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}

function isBase(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === ""
  );
}

/** What the config says, else what is known of the vendor. */
export function baseOf(name: string, entry: ProviderSection): string {
  return entry.api_base ?? entry.baseUrl ?? presetOf(name, entry)?.base ?? "";
}

/** All keys, each once, in order. */
export function keysOf(entry: ProviderSection): readonly string[] {
  const keys = [entry.api_key ?? entry.apiKey ?? "", ...(entry.api_keys ?? [])].map((key) => key.trim());
  return [...new Set(keys.filter((key) => key !== ""))];
}
