/** Schema of the `models` section. Keys are ClawGo's (`api_base`, `api_key`, `timeout_sec`); OpenClaw's `baseUrl` and `apiKey` mean the same. */
import { type Static, Type } from "@chela/sdk";
import { presets } from "./presets.ts";

const OAuthConfig = Type.Object(
  {
    provider: Type.Optional(
      Type.String({
        description:
          "Vendor of the login: codex, claude, gemini, qwen, kimi, iflow … or a name of your own with auth_url and token_url",
      }),
    ),
    network_proxy: Type.Optional(
      Type.String({ secret: true, description: "Proxy for logins and requests of its accounts" }),
    ),
    credential_file: Type.Optional(Type.String({ description: "File of the first account" })),
    credential_files: Type.Optional(Type.Array(Type.String(), { description: "Files of all accounts, in order" })),
    callback_port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description: "Local port the browser comes back to; 0: the vendor's own, else 1455",
      }),
    ),
    client_id: Type.Optional(Type.String({ description: "Of this gateway at the vendor; vendors know theirs" })),
    client_secret: Type.Optional(Type.String({ secret: true, description: "For vendors that want one from a client" })),
    auth_url: Type.Optional(Type.String({ description: "Where a login begins; vendors know theirs" })),
    token_url: Type.Optional(Type.String({ description: "Where tokens are given; vendors know theirs" })),
    device_auth_url: Type.Optional(Type.String({ description: "With it the device flow (RFC 8628) is used" })),
    userinfo_url: Type.Optional(Type.String({ description: "Where the e-mail of an account is asked for" })),
    project_url: Type.Optional(Type.String({ description: "Where the project of an account is asked for" })),
    redirect_url: Type.Optional(Type.String({ description: "Sent as it is; default: this machine's callback_port" })),
    scopes: Type.Optional(
      Type.Union([Type.Array(Type.String()), Type.String()], {
        description: "Asked for at a login; vendors know theirs",
      }),
    ),
    cooldown_sec: Type.Optional(
      Type.Number({
        description: "Rest of an account that was rate limited; four times that after its quota. 0: as for keys",
      }),
    ),
    refresh_scan_sec: Type.Optional(
      Type.Number({ description: "Seconds between two looks for tokens that are about to expire" }),
    ),
    refresh_lead_sec: Type.Optional(Type.Number({ description: "Refresh a token so many seconds before it expires" })),
  },
  { additionalProperties: true },
);

const ResponsesConfig = Type.Object(
  {
    api: Type.Optional(Type.String({ description: "responses or chat_completions" })),
    web_search_enabled: Type.Optional(Type.Boolean({ description: "Offer the upstream's own web search" })),
    web_search_context_size: Type.Optional(Type.String({ description: "low, medium or high" })),
    file_search_vector_store_ids: Type.Optional(
      Type.Array(Type.String(), { description: "Offer the upstream's file search over these" }),
    ),
    file_search_max_num_results: Type.Optional(
      Type.Number({ description: "Of one file search; 0: the upstream's own" }),
    ),
    include: Type.Optional(Type.Array(Type.String(), { description: "The field include of every request" })),
    stream_include_usage: Type.Optional(Type.Boolean({ description: "Ask for a usage chunk at the end of a stream" })),
  },
  { additionalProperties: true },
);

const ProviderConfig = Type.Object(
  {
    preset: Type.Optional(
      Type.String({
        description: "Whose API it is: openai, anthropic, gemini, deepseek, ollama …; default by the provider's name",
        // Those that need no api_base; the command line knows vendors by them when no gateway runs.
        examples: presets.flatMap(({ name, aliases, base }) => (base ? [name, ...aliases] : [])),
      }),
    ),
    api: Type.Optional(Type.String({ description: "The wire, where the preset is not right" })),
    api_base: Type.Optional(
      Type.String({ description: "Base URL of the API: https://api.openai.com/v1; presets know theirs" }),
    ),
    api_key: Type.Optional(Type.String({ secret: true, description: "The API key" })),
    api_keys: Type.Optional(
      Type.Array(Type.String({ secret: true }), {
        description: "More API keys; the next one is asked where one fails",
      }),
    ),
    strategy: Type.Optional(
      Type.String({
        description:
          "Which of several keys or accounts is asked first: order (default), round_robin, least_used (the fewest requests under way) or session (a conversation stays with one)",
      }),
    ),
    baseUrl: Type.Optional(Type.String({ description: "The same as api_base" })),
    apiKey: Type.Optional(Type.String({ secret: true, description: "The same as api_key" })),
    models: Type.Optional(
      Type.Array(
        Type.Union([
          Type.String(),
          Type.Object(
            { id: Type.String({ description: "Its name; context_window beside it is its size in tokens" }) },
            { additionalProperties: true },
          ),
        ]),
        {
          description: 'Models it serves, the first is its default; "*" lets every other name pass too',
        },
      ),
    ),
    auth: Type.Optional(
      Type.String({
        description: "api_key or bearer (default with a key), oauth (accounts), hybrid (keys, then accounts) or none",
      }),
    ),
    oauth: Type.Optional(OAuthConfig),
    responses: Type.Optional(ResponsesConfig),
    timeout_sec: Type.Optional(
      Type.Number({ description: "Seconds without a byte, and for a whole reply that is not streamed. Default 90" }),
    ),
    max_tokens: Type.Optional(Type.Number({ description: "For requests that set none; 0 leaves it to the upstream" })),
    temperature: Type.Optional(Type.Number({ description: "For requests that set none" })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ secret: true, description: "Its value" }), {
        description: "Extra request headers",
      }),
    ),
    runtime_persist: Type.Optional(
      Type.Boolean({ description: "Keep cooldowns, health and recent events over a restart" }),
    ),
    runtime_history_max: Type.Optional(
      Type.Number({ description: "Events kept of each kind for the runtime view. Default 24" }),
    ),
  },
  { additionalProperties: true },
);

const DiscoveryConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "Look for a model when none is configured" }),
    env: Type.Boolean({ default: true, description: "API keys in the environment" }),
    host: Type.String({ default: "127.0.0.1", description: "The machine on which local servers are looked for" }),
    ports: Type.Array(Type.Integer({ minimum: 1, maximum: 65535 }), {
      default: [11434, 1234, 8080, 8000],
      maxItems: 32,
      description: "Where local servers may listen",
    }),
    timeout_ms: Type.Integer({ minimum: 10, maximum: 10_000, default: 800, description: "For one of those ports" }),
  },
  { default: {} },
);

export const ModelsConfig = Type.Object(
  {
    providers: Type.Record(Type.String(), ProviderConfig, { default: {}, description: "By a name of your own" }),
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
export type ProviderSection = Static<typeof ProviderConfig>;
export type OAuthSection = Static<typeof OAuthConfig>;
export type ResponsesSection = Static<typeof ResponsesConfig>;
