/** Where models may be found when none is configured: keys in the environment, and servers on this machine. Data only. */

export interface Vendor {
  /** Environment variable that holds the key. */
  readonly key: string;
  readonly name: string;
  readonly base: string;
  /** Environment variable that overrides `base`, where the vendor's own tools know one. */
  readonly baseKey?: string;
  /** The first is the default; the upstream decides about all others. */
  readonly models: readonly string[];
}

/** In order of preference: the first key that is set is the primary provider. */
export const vendors: readonly Vendor[] = [
  {
    key: "OPENAI_API_KEY",
    name: "openai",
    base: "https://api.openai.com/v1",
    baseKey: "OPENAI_BASE_URL",
    models: ["gpt-5.4"],
  },
  {
    key: "DEEPSEEK_API_KEY",
    name: "deepseek",
    base: "https://api.deepseek.com/v1",
    models: ["deepseek-chat", "deepseek-reasoner"],
  },
  { key: "OPENROUTER_API_KEY", name: "openrouter", base: "https://openrouter.ai/api/v1", models: ["openrouter/auto"] },
  {
    key: "MOONSHOT_API_KEY",
    name: "moonshot",
    base: "https://api.moonshot.cn/v1",
    baseKey: "MOONSHOT_BASE_URL",
    models: ["kimi-latest"],
  },
  {
    key: "DASHSCOPE_API_KEY",
    name: "dashscope",
    base: "https://dashscope.aliyuncs.com/compatible-mode/v1",
    models: ["qwen-plus", "qwen-max"],
  },
  {
    key: "SILICONFLOW_API_KEY",
    name: "siliconflow",
    base: "https://api.siliconflow.cn/v1",
    models: ["deepseek-ai/DeepSeek-V3"],
  },
  { key: "ZHIPUAI_API_KEY", name: "zhipu", base: "https://open.bigmodel.cn/api/paas/v4", models: ["glm-4.6"] },
  {
    key: "GEMINI_API_KEY",
    name: "gemini",
    base: "https://generativelanguage.googleapis.com/v1beta/openai",
    models: ["gemini-2.5-flash"],
  },
  { key: "MISTRAL_API_KEY", name: "mistral", base: "https://api.mistral.ai/v1", models: ["mistral-large-latest"] },
  { key: "GROQ_API_KEY", name: "groq", base: "https://api.groq.com/openai/v1", models: ["llama-3.3-70b-versatile"] },
  { key: "XAI_API_KEY", name: "xai", base: "https://api.x.ai/v1", models: ["grok-4"] },
];

/** Names of the servers that usually listen there. */
export const localServers: ReadonlyMap<number, string> = new Map([
  [11434, "ollama"],
  [1234, "lmstudio"],
  [8080, "llamacpp"],
  [8000, "vllm"],
]);
