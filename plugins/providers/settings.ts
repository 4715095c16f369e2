/**
 * The `models` section: its schema, and what the rest of the plugin works with. Keys are ClawGo's (`api_base`, `api_key`,
 * `timeout_sec`); OpenClaw's `baseUrl` and `apiKey` mean the same. A provider that cannot be used is left out and named
 * as a problem; the others serve.
 */
import { createHash } from "node:crypto";
import { type ModelInfo, type Static, Type } from "@chela/sdk";

const ProviderConfig = Type.Object(
  {
    api_base: Type.Optional(
      Type.String({ description: "Base URL of an OpenAI-compatible API: https://api.openai.com/v1" }),
    ),
    api_key: Type.Optional(Type.String({ secret: true, description: "Sent as bearer token" })),
    baseUrl: Type.Optional(Type.String({ description: "The same as api_base" })),
    apiKey: Type.Optional(Type.String({ secret: true, description: "The same as api_key" })),
    models: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Object({ id: Type.String() }, { additionalProperties: true })]), {
        description: 'Models it serves, the first is its default; "*" lets every other name pass too',
      }),
    ),
    auth: Type.Optional(Type.String({ description: "bearer (default with a key) or none" })),
    timeout_sec: Type.Optional(
      Type.Number({ description: "Seconds without a byte, and for a whole reply that is not streamed. Default 90" }),
    ),
    max_tokens: Type.Optional(Type.Number({ description: "For requests that set none; 0 leaves it to the upstream" })),
    temperature: Type.Optional(Type.Number({ description: "For requests that set none" })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ secret: true }), { description: "Extra request headers" }),
    ),
  },
  { additionalProperties: true },
);

const DiscoveryConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "Look for a model when none is configured" }),
    env: Type.Boolean({ default: true, description: "API keys in the environment" }),
    host: Type.String({ default: "127.0.0.1", description: "Where local servers may listen" }),
    ports: Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), {
      default: [11434, 1234, 8080, 8000],
      maxItems: 32,
    }),
    timeout_ms: Type.Integer({ minimum: 10, maximum: 10_000, default: 800 }),
  },
  { default: {} },
);

export const ModelsConfig = Type.Object(
  {
    providers: Type.Record(Type.String(), ProviderConfig, { default: {} }),
    fallbacks: Type.Optional(
      Type.Array(Type.String(), {
        description: "Models to try after the primary one. Default: the first model of each other provider",
      }),
    ),
    request_timeout_sec: Type.Number({
      minimum: 1,
      default: 600,
      description: "Seconds for one request with all its fallbacks and its whole stream",
    }),
    discovery: DiscoveryConfig,
  },
  { additionalProperties: true },
);

export type ModelsSection = Static<typeof ModelsConfig>;
type ProviderSection = Static<typeof ProviderConfig>;

/** A provider as the wire needs it. */
export interface ProviderSpec {
  readonly name: string;
  readonly source: ModelInfo["source"];
  readonly origin: string;
  /** Path of the base URL, without a slash at its end. */
  readonly prefix: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  /** What of them never may be told. */
  readonly secrets: readonly string[];
  readonly models: readonly string[];
  /** Models that are not listed pass too. */
  readonly open: boolean;
  readonly timeoutMs: number;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  /** Ask for a usage chunk at the end of a stream. */
  readonly usage: boolean;
  /** Changes with the address or the credential: cooldowns belong to it. */
  readonly fingerprint: string;
}

interface Problem {
  readonly path: string;
  readonly message: string;
  readonly level: "error" | "warning";
}

export interface Settings {
  readonly providers: readonly ProviderSpec[];
  readonly fallbacks: readonly string[] | undefined;
  readonly requestMs: number;
  readonly problems: readonly Problem[];
}

const reserved: ReadonlySet<string> = new Set(["chela", "openclaw", "offline", "agent"]);
const laterModes: ReadonlySet<string> = new Set(["oauth", "hybrid"]);

export function readSettings(section: ModelsSection): Settings {
  const problems: Problem[] = [];
  const providers: ProviderSpec[] = [];
  for (const [name, entry] of Object.entries(
    isObject(section) && isObject(section.providers) ? section.providers : {},
  )) {
    if (!fits(entry)) continue;
    const found = problemsOf(name, entry);
    problems.push(...found);
    if (found.length === 0) providers.push(toSpec(name, entry, "config"));
  }
  return {
    providers,
    fallbacks: section?.fallbacks,
    requestMs: milliseconds(section?.request_timeout_sec ?? 600),
    problems,
  };
}

export function toSpec(name: string, entry: ProviderSection, source: ModelInfo["source"]): ProviderSpec {
  const url = new URL(baseOf(entry));
  const secret = (entry.api_key ?? entry.apiKey)?.trim() || undefined;
  const models = modelIds(entry);
  const bearer = secret !== undefined && entry.auth !== "none";
  const own = Object.entries(entry.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "chela/1.0",
    ...(bearer ? { authorization: `Bearer ${secret}` } : {}),
    ...Object.fromEntries(own),
  };
  const responses = entry["responses" as keyof ProviderSection] as { stream_include_usage?: unknown } | undefined;
  return {
    name,
    source,
    origin: url.origin,
    // The address of the one endpoint is often given instead of the base.
    prefix: url.pathname.replace(/(\/chat\/completions)?\/*$/, ""),
    headers: Object.entries(headers).flat(),
    secrets: [...(secret === undefined ? [] : [secret]), ...own.map(([, value]) => value)],
    models: models.filter((model) => model !== "*"),
    open: models.length === 0 || models.includes("*"),
    timeoutMs: milliseconds(entry.timeout_sec ?? 90),
    maxTokens: entry.max_tokens || undefined,
    temperature: entry.temperature,
    usage: responses?.stream_include_usage !== false,
    fingerprint: createHash("sha256").update(`${url.href}\n${secret}`).digest("hex").slice(0, 16),
  };
}

function problemsOf(name: string, entry: ProviderSection): Problem[] {
  const at = `models.providers.${name}`;
  const bad = (key: string, message: string): Problem[] => [
    { path: key ? `${at}.${key}` : at, message, level: "error" },
  ];
  if (reserved.has(name) || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    return bad("", "must be named with letters, digits, dots, - or _, and not chela, openclaw, offline or agent");
  }
  if (laterModes.has(entry.auth ?? "")) {
    return [
      {
        path: `${at}.auth`,
        message: `must be bearer or none for now: ${entry.auth} is not supported yet, the provider is not used`,
        level: "warning",
      },
    ];
  }
  if (!["", "bearer", "none"].includes(entry.auth ?? ""))
    return bad("auth", "must be one of bearer, none, oauth, hybrid");
  if (!isBase(baseOf(entry)))
    return bad("api_base", "must be an http or https URL without user name, query or fragment");
  if (entry.timeout_sec !== undefined && entry.timeout_sec <= 0) return bad("timeout_sec", "must be > 0");
  if ((entry.max_tokens ?? 0) < 0) return bad("max_tokens", "must be >= 0");
  if (/[^\t\x20-\x7e\x80-\xff]/.test((entry.api_key ?? entry.apiKey ?? "").trim()))
    return bad("api_key", "must be one line of text");
  const header = Object.entries(entry.headers ?? {}).find(
    ([key, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(key) || /[^\t\x20-\x7e\x80-\xff]/.test(value),
  );
  return header ? bad(`headers.${header[0]}`, "must be a valid HTTP header") : [];
}

/** Whether the schema holds. `config:validate` also sees sections where it does not; those are told by the schema. */
function fits(entry: unknown): entry is ProviderSection {
  if (!isObject(entry)) return false;
  const { models = [], headers = {} } = entry;
  const texts = [entry.api_base, entry.baseUrl, entry.api_key, entry.apiKey, entry.auth];
  return (
    texts.every((text) => text === undefined || typeof text === "string") &&
    Array.isArray(models) &&
    models.every((model: unknown) => typeof model === "string" || (isObject(model) && typeof model.id === "string")) &&
    isObject(headers) &&
    Object.values(headers).every((value) => typeof value === "string")
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As much as a timer can hold: more would be taken for nothing. */
function milliseconds(seconds: number): number {
  return Math.min(seconds * 1000, 2_147_483_647);
}

function isBase(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === ""
  );
}

function baseOf(entry: ProviderSection): string {
  return entry.api_base ?? entry.baseUrl ?? "";
}

function modelIds(entry: ProviderSection): string[] {
  const ids = (entry.models ?? []).map((model) => (typeof model === "string" ? model : model.id));
  return [...new Set(ids.map((id) => id.trim()).filter((id) => id !== ""))];
}
