/** The presets for people who add a provider: what each is called, where it is, and what it wants to be told. */
import { type Env, variableName } from "../oauth/settings.ts";
import { type OauthVendor, oauthVendors } from "../oauth/vendors.ts";
import { type Preset, presets } from "../presets.ts";

/** Where the name with a capital letter is not what people call it. */
const titles: Readonly<Record<string, string>> = {
  claude: "Anthropic Claude",
  gemini: "Google Gemini",
  vertex: "Google Vertex AI",
  aistudio: "Google AI Studio (relay)",
  openai: "OpenAI",
  "azure-openai": "Azure OpenAI",
  deepseek: "DeepSeek",
  openrouter: "OpenRouter",
  kimi: "Kimi (Moonshot)",
  qwen: "Qwen (DashScope)",
  siliconflow: "SiliconFlow",
  zhipu: "Zhipu GLM",
  xai: "xAI Grok",
  minimax: "MiniMax",
  volcengine: "Volcengine Ark (Doubao)",
  codex: "OpenAI Codex (ChatGPT account)",
  iflow: "iFlow",
  "kimi-intl": "Kimi (international)",
  "qwen-intl": "Qwen (international)",
  zai: "Z.ai GLM",
  "minimax-intl": "MiniMax (international)",
  "siliconflow-intl": "SiliconFlow (international)",
  "kimi-coding": "Kimi for Coding",
  "zhipu-coding": "Zhipu GLM Coding",
  "zai-coding": "Z.ai GLM Coding",
  "volcengine-coding": "Volcengine Ark Coding",
  hunyuan: "Tencent Hunyuan",
  qianfan: "Baidu Qianfan",
  stepfun: "StepFun",
  spark: "iFlytek Spark",
  modelscope: "ModelScope",
  xiaomi: "Xiaomi MiMo",
  sambanova: "SambaNova",
  nvidia: "NVIDIA NIM",
  deepinfra: "DeepInfra",
  huggingface: "Hugging Face",
  "github-models": "GitHub Models",
  vercel: "Vercel AI Gateway",
  "ollama-cloud": "Ollama Cloud",
  lmstudio: "LM Studio",
  llamacpp: "llama.cpp",
  vllm: "vLLM",
  localai: "LocalAI",
  sglang: "SGLang",
};

export function listPresets(env: Env): { readonly presets: readonly unknown[] } {
  return { presets: presets.map((preset) => row(preset, env)) };
}

function row(preset: Preset, env: Env): unknown {
  const { name, aliases, wire, base, models, port, transport } = preset;
  const keyless = preset.auth === "none";
  const vendor = oauthVendors.find((one) => one.name === name);
  return {
    id: name,
    title: titles[name] ?? name.charAt(0).toUpperCase() + name.slice(1),
    aliases,
    wire,
    api_base: base ?? null,
    models,
    auth: [...(keyless ? ["none"] : ["api_key"]), ...(vendor ? ["oauth", "hybrid"] : [])],
    /** What of the config it cannot do without. */
    needs: [...(base || transport ? [] : ["api_base"]), ...(keyless ? [] : ["api_key"])],
    login: vendor ? loginOf(vendor, env) : null,
    env: preset.env?.key ?? null,
    local: port !== undefined,
    relay: transport === "relay",
  };
}

function loginOf({ name, flow, needsSecret, needsLabel }: OauthVendor, env: Env): unknown {
  const isSet = (what: string) => (env[variableName(name, what)]?.trim() ?? "") !== "";
  return {
    vendor: name,
    flow,
    client_secret: needsSecret ?? false,
    /** An account has to be given a name. */
    label: needsLabel ?? false,
    /** The environment names the client: the config need not. */
    client_set: isSet("ID") && (!needsSecret || isSet("SECRET")),
  };
}
