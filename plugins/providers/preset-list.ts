/**
 * Vendors with a wire or ways of their own. `models`: the first is the default; the upstream decides about all others. Addresses,
 * headers, models and variables were last compared with what the vendors publish, or with copies of it, on 2026-11-21.
 */
import type { WireName } from "./wire/dialect.ts";

/** Where a vendor differs from what its wire says. */
export interface Quirks {
  /** Hosts (by their end) where OpenAI's own rules hold: `max_completion_tokens`, and no field it does not know. */
  readonly strict?: readonly string[];
  /** How the level in `model(level)` is said: `qwen` and `kimi` have their own words, `effort` is OpenAI's. */
  readonly levels?: "qwen" | "kimi" | "effort";
  /** Thoughts go back with every message they led to, not only with those that call tools. */
  readonly echoReasoning?: boolean;
  /** Models with a temperature of their own, which refuse any other. */
  readonly ownHeat?: RegExp;
  /** The field in which thoughts go back, where it is not `reasoning_content`. `none`: the vendor refuses them. */
  readonly thoughts?: "reasoning" | "none";
  /** Mistral's rules for calls: their ids have nine letters and digits, and after their results the assistant speaks first. */
  readonly strictCalls?: boolean;
  /** Refuses `stream_options`. */
  readonly noStreamOptions?: boolean;
  /** Calls tools in its text now and then: `<function_call>`, DSML. */
  readonly toolMarkup?: boolean;
  /** Results of tools may hold images. */
  readonly toolImages?: boolean;
  /** Serves `/responses` beside `/chat/completions`. */
  readonly responses?: boolean;
  /** Its accounts are served by an API that takes neither limits nor sampling, and stores nothing. */
  readonly bareAccounts?: boolean;
  /** Requests and replies are in an envelope, with the project of the account. */
  readonly codeAssist?: boolean;
  /** The key goes into this header, without `Bearer`. */
  readonly keyHeader?: string;
}

export interface Preset {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly wire: WireName;
  /** Absent where every customer has an address of his own. */
  readonly base?: string;
  readonly models: readonly string[];
  /** `none`: needs no key. */
  readonly auth?: "none";
  /** Through which requests go; HTTP by default. */
  readonly transport?: "relay";
  /** Environment variable with a key, for discovery; and one that overrides `base`, where the vendor's own tools know it. */
  readonly env?: { readonly key: string; readonly base?: string };
  /** Where a server on this machine usually listens. */
  readonly port?: number;
  readonly quirks: Quirks;
}

const google = "https://generativelanguage.googleapis.com/v1beta";

const ownHeat = /^(?:kimi-)?(?:k2[.p]|k[3-9]|for-coding)/i;
export const kimi: Quirks = { levels: "kimi", echoReasoning: true, ownHeat };

/** Vendors with a wire of their own. Vertex has an address for every project: `…/v1/projects/P/locations/L/publishers/google`. */
export const vendorPresets: readonly Preset[] = [
  {
    name: "claude",
    aliases: ["anthropic", "claude-code", "claude-api-key"],
    wire: "anthropic",
    base: "https://api.anthropic.com/v1",
    models: ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"],
    env: { key: "ANTHROPIC_API_KEY", base: "ANTHROPIC_BASE_URL" },
    quirks: {},
  },
  {
    name: "gemini",
    aliases: ["google", "gemini-cli", "geminicli"],
    wire: "gemini",
    base: google,
    models: ["gemini-flash-latest"],
    env: { key: "GEMINI_API_KEY" },
    quirks: {},
  },
  {
    name: "vertex",
    aliases: ["vertex-compat"],
    wire: "gemini",
    models: ["gemini-flash-latest"],
    quirks: {},
  },
  {
    name: "aistudio",
    aliases: ["google-ai-studio", "ai-studio"],
    wire: "gemini",
    base: google,
    models: ["gemini-flash-latest"],
    auth: "none",
    transport: "relay",
    quirks: {},
  },
];

/** Vendors and servers that speak one of OpenAI's wires, in order of preference for discovery. */
export const chatPresets: readonly Preset[] = [
  {
    name: "openai",
    aliases: [],
    wire: "chat",
    base: "https://api.openai.com/v1",
    models: ["gpt-5.4"],
    env: { key: "OPENAI_API_KEY", base: "OPENAI_BASE_URL" },
    quirks: { strict: [".openai.com"], responses: true, levels: "effort" },
  },
  {
    name: "azure-openai",
    aliases: ["azure"],
    wire: "chat",
    models: [],
    quirks: { strict: [".azure.com"], responses: true, levels: "effort", keyHeader: "api-key" },
  },
  {
    name: "deepseek",
    aliases: [],
    wire: "chat",
    base: "https://api.deepseek.com",
    models: ["deepseek-flash", "deepseek-v4-pro"],
    env: { key: "DEEPSEEK_API_KEY" },
    quirks: { toolMarkup: true, echoReasoning: true },
  },
  {
    name: "openrouter",
    aliases: [],
    wire: "chat",
    base: "https://openrouter.ai/api/v1",
    models: ["openrouter/auto"],
    env: { key: "OPENROUTER_API_KEY" },
    quirks: {},
  },
  {
    name: "kimi",
    aliases: ["moonshot"],
    wire: "chat",
    base: "https://api.moonshot.cn/v1",
    models: ["kimi-k2.6", "kimi-k3"],
    env: { key: "MOONSHOT_API_KEY", base: "MOONSHOT_BASE_URL" },
    quirks: kimi,
  },
  {
    name: "qwen",
    aliases: ["dashscope"],
    wire: "chat",
    base: "https://dashscope.aliyuncs.com/compatible-mode/v1",
    models: ["qwen-plus", "qwen-max"],
    env: { key: "DASHSCOPE_API_KEY" },
    quirks: { levels: "qwen", toolMarkup: true },
  },
  {
    name: "siliconflow",
    aliases: [],
    wire: "chat",
    base: "https://api.siliconflow.cn/v1",
    models: ["deepseek-ai/DeepSeek-V3.2"],
    env: { key: "SILICONFLOW_API_KEY" },
    quirks: { toolMarkup: true },
  },
  {
    name: "zhipu",
    aliases: ["glm", "bigmodel", "zhipuai"],
    wire: "chat",
    base: "https://open.bigmodel.cn/api/paas/v4",
    models: ["glm-5.2"],
    env: { key: "ZHIPUAI_API_KEY" },
    quirks: { echoReasoning: true },
  },
  {
    name: "mistral",
    aliases: [],
    wire: "chat",
    base: "https://api.mistral.ai/v1",
    models: ["mistral-large-latest"],
    env: { key: "MISTRAL_API_KEY" },
    quirks: { noStreamOptions: true, thoughts: "none", strictCalls: true },
  },
  {
    name: "groq",
    aliases: [],
    wire: "chat",
    base: "https://api.groq.com/openai/v1",
    models: ["llama-3.3-70b-versatile"],
    env: { key: "GROQ_API_KEY" },
    quirks: { thoughts: "none" },
  },
  {
    name: "xai",
    aliases: ["grok"],
    wire: "chat",
    base: "https://api.x.ai/v1",
    models: ["grok-4.5", "grok-4.3"],
    env: { key: "XAI_API_KEY" },
    quirks: { responses: true, levels: "effort" },
  },
  {
    name: "together",
    aliases: ["togetherai"],
    wire: "chat",
    base: "https://api.together.xyz/v1",
    models: ["meta-llama/Llama-3.3-70B-Instruct-Turbo"],
    env: { key: "TOGETHER_API_KEY" },
    quirks: {},
  },
  {
    name: "fireworks",
    aliases: ["fireworks-ai"],
    wire: "chat",
    base: "https://api.fireworks.ai/inference/v1",
    models: ["accounts/fireworks/models/gpt-oss-120b"],
    env: { key: "FIREWORKS_API_KEY" },
    quirks: {},
  },
  {
    name: "minimax",
    aliases: [],
    wire: "chat",
    base: "https://api.minimaxi.com/v1",
    models: ["MiniMax-M3"],
    env: { key: "MINIMAX_API_KEY" },
    quirks: { echoReasoning: true },
  },
  {
    name: "volcengine",
    aliases: ["doubao", "ark"],
    wire: "chat",
    base: "https://ark.cn-beijing.volces.com/api/v3",
    models: ["doubao-seed-1-8-251228"],
    env: { key: "ARK_API_KEY" },
    quirks: { levels: "kimi" },
  },
  {
    name: "codex",
    aliases: ["codex-api-key"],
    wire: "responses",
    base: "https://api.openai.com/v1",
    models: ["gpt-5.4"],
    quirks: { strict: [".openai.com", "chatgpt.com"], levels: "effort", bareAccounts: true },
  },
  {
    name: "iflow",
    aliases: ["i-flow"],
    wire: "chat",
    base: "https://apis.iflow.cn/v1",
    models: ["qwen3-coder-plus"],
    quirks: { toolMarkup: true },
  },
];
