/**
 * Vendors that speak OpenAI's wire as it is, other addresses of those that do not, and servers on this machine. Compared on the
 * same day as the list of vendors. Variables that are set for other things too, such as `GITHUB_TOKEN`, are nobody's key here.
 */
import { kimi, type Preset, type Quirks } from "./preset-list.ts";

type More = Partial<Pick<Preset, "aliases" | "quirks" | "wire">> & { readonly key?: string };

function hosted(name: string, base: string, models: readonly string[], more: More = {}): Preset {
  const { aliases = [], quirks = {}, wire = "chat", key } = more;
  return { name, aliases, wire, base, models, ...(key ? { env: { key } } : {}), quirks };
}

function local(name: string, port: number, quirks: Quirks = {}, aliases: readonly string[] = []): Preset {
  const base = `http://127.0.0.1:${port}/v1`;
  return { name, aliases, wire: "chat", base, models: [], auth: "none", port, quirks };
}

const glm: Quirks = { echoReasoning: true };
const gptOss = "openai/gpt-oss-120b";

export const hostedPresets: readonly Preset[] = [
  // The same vendors for customers elsewhere: a key is good at one of their addresses only.
  hosted("kimi-intl", "https://api.moonshot.ai/v1", ["kimi-k2.6", "kimi-k3"], {
    quirks: kimi,
    aliases: ["moonshot-intl"],
  }),
  hosted("qwen-intl", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", ["qwen-plus", "qwen-max"], {
    aliases: ["dashscope-intl"],
    quirks: { levels: "qwen", toolMarkup: true },
  }),
  hosted("zai", "https://api.z.ai/api/paas/v4", ["glm-5.3"], {
    key: "ZAI_API_KEY",
    quirks: glm,
    aliases: ["z-ai", "zhipu-intl"],
  }),
  hosted("minimax-intl", "https://api.minimax.io/v1", ["MiniMax-M3"], { quirks: { echoReasoning: true } }),
  hosted("siliconflow-intl", "https://api.siliconflow.com/v1", [], { quirks: { toolMarkup: true } }),
  // Subscriptions for coding: other addresses than those of their vendors, and no price per token.
  hosted("kimi-coding", "https://api.kimi.com/coding/v1", [], {
    wire: "anthropic",
    aliases: ["kimi-for-coding"],
    quirks: { ownHeat: /./ },
  }),
  hosted("zhipu-coding", "https://open.bigmodel.cn/api/coding/paas/v4", ["glm-5.2"], {
    quirks: glm,
    aliases: ["glm-coding"],
  }),
  hosted("zai-coding", "https://api.z.ai/api/coding/paas/v4", ["glm-5.2"], { quirks: glm }),
  hosted("volcengine-coding", "https://ark.cn-beijing.volces.com/api/coding/v3", ["ark-code-latest"], {
    quirks: { levels: "kimi" },
  }),
  hosted("antigravity", "https://cloudcode-pa.googleapis.com", [], { wire: "gemini", quirks: { codeAssist: true } }),
  // China
  hosted("hunyuan", "https://api.hunyuan.cloud.tencent.com/v1", ["hunyuan-turbos-latest"], {
    key: "HUNYUAN_API_KEY",
    aliases: ["tencent"],
  }),
  hosted("qianfan", "https://qianfan.baidubce.com/v2", [], { aliases: ["ernie", "baidu"] }),
  hosted("stepfun", "https://api.stepfun.com/v1", ["step-3.7-flash"], { key: "STEPFUN_API_KEY" }),
  hosted("baichuan", "https://api.baichuan-ai.com/v1", ["Baichuan4-Turbo"], { key: "BAICHUAN_API_KEY" }),
  hosted("spark", "https://spark-api-open.xf-yun.com/v1", [], { aliases: ["xunfei", "iflytek"] }),
  hosted("modelscope", "https://api-inference.modelscope.cn/v1", ["Qwen/Qwen3-235B-A22B-Instruct-2507"], {
    key: "MODELSCOPE_API_KEY",
    quirks: { toolMarkup: true },
  }),
  hosted("xiaomi", "https://api.xiaomimimo.com/v1", ["mimo-v2.5"], { key: "XIAOMI_API_KEY", aliases: ["mimo"] }),
  // Elsewhere
  hosted("cohere", "https://api.cohere.ai/compatibility/v1", ["command-a-03-2025"], { key: "COHERE_API_KEY" }),
  hosted("perplexity", "https://api.perplexity.ai", ["sonar"], { key: "PERPLEXITY_API_KEY", aliases: ["sonar"] }),
  hosted("cerebras", "https://api.cerebras.ai/v1", ["gpt-oss-120b"], {
    key: "CEREBRAS_API_KEY",
    quirks: { thoughts: "reasoning" },
  }),
  hosted("sambanova", "https://api.sambanova.ai/v1", ["DeepSeek-V3.2"], { key: "SAMBANOVA_API_KEY" }),
  hosted("nvidia", "https://integrate.api.nvidia.com/v1", ["meta/llama-3.3-70b-instruct"], {
    key: "NVIDIA_API_KEY",
    aliases: ["nim"],
  }),
  hosted("deepinfra", "https://api.deepinfra.com/v1/openai", [gptOss], { key: "DEEPINFRA_API_KEY" }),
  hosted("novita", "https://api.novita.ai/openai", [], { aliases: ["novita-ai"] }),
  hosted("nebius", "https://api.tokenfactory.nebius.com/v1", [gptOss], { key: "NEBIUS_API_KEY" }),
  hosted("huggingface", "https://router.huggingface.co/v1", [gptOss], { aliases: ["hf"] }),
  hosted("github-models", "https://models.github.ai/inference", [], { aliases: ["github"] }),
  hosted("vercel", "https://ai-gateway.vercel.sh/v1", [], { aliases: ["ai-gateway"] }),
  hosted("ollama-cloud", "https://ollama.com/v1", ["gpt-oss:120b"], { key: "OLLAMA_API_KEY" }),
  // On this machine
  local("ollama", 11434, { levels: "effort" }),
  local("lmstudio", 1234),
  local("llamacpp", 8080, {}, ["llama-cpp"]),
  local("vllm", 8000, { toolMarkup: true }),
  local("localai", 8080, {}, ["local-ai"]),
  local("sglang", 30000, { toolMarkup: true }),
  local("jan", 1337),
];
