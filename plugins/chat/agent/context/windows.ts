/** What is known of models by their names: how many tokens their window holds, and whether they look at images. */
import type { Providers } from "@chela/sdk";

const defaultWindow = 128_000;

/** First match wins; the name after the provider, lower case. */
const windows: readonly (readonly [RegExp, number])[] = [
  [/^gpt-(5\.[4-9]|4\.1)/, 1_000_000],
  [/^gpt-5/, 400_000],
  [/^gpt-4o|^gpt-4-turbo|^chatgpt-4o/, 128_000],
  [/^gpt-4-32k/, 32_000],
  [/^gpt-4/, 8_000],
  [/^gpt-3\.5/, 16_000],
  [/^gpt-oss/, 128_000],
  [/^o[134]/, 200_000],
  [/claude/, 200_000],
  [/gemini-1\.5-pro/, 2_000_000],
  [/gemini/, 1_000_000],
  [/gemma-?[34]/, 128_000],
  [/gemma/, 8_000],
  [/deepseek/, 128_000],
  [/qwen-?(long|turbo)/, 1_000_000],
  [/qwen-?3|qwq|qwen-?(max|plus)/, 128_000],
  [/qwen/, 32_000],
  [/kimi-k2|moonshot.*256k/, 256_000],
  [/kimi|moonshot.*128k/, 128_000],
  [/moonshot.*32k/, 32_000],
  [/moonshot.*8k/, 8_000],
  [/glm-4\.[6-9]|glm-5/, 200_000],
  [/glm/, 128_000],
  [/grok-4/, 256_000],
  [/grok/, 128_000],
  [/llama-?4/, 1_000_000],
  [/llama-?3[.-][123]/, 128_000],
  [/llama-?3/, 8_000],
  [/llama-?2/, 4_000],
  [/mi[sx]tral|ministral|codestral|devstral|magistral|pixtral/, 128_000],
  [/minimax/, 200_000],
  [/phi-?4/, 16_000],
  [/command/, 128_000],
];

const seeing =
  /gpt-(4o|4\.1|4-turbo|5)|chatgpt-4o|^o[134](?!-mini-2024)|claude-(?!2|instant)|gemini|gemma-?[34](?!.*1b)|llava|vision|pixtral|mistral-(small|medium)-3|[-.\d]vl\b|-vl-|qwen-?(3\.5|vl)|qwen.*omni|glm-[\d.]+v|llama-?4|llama-?3\.2-(11|90)b|minicpm-v|internvl|grok-(2-vision|4)|kimi-(vl|k2\.5|latest)|moondream|phi-4-multimodal/;

const freshMs = 5_000;

/** Looked up at most every few seconds: a list of models may be long, and every call of a model asks. */
export class ModelFacts {
  readonly #providers: Pick<Providers, "models">;
  readonly #known = new Map<string, { readonly window: number; readonly images: boolean }>();
  #until = 0;

  constructor(providers: Pick<Providers, "models">) {
    this.#providers = providers;
  }

  /** Tokens that fit into the window of `model` (`provider/model`), the reply included. */
  window(model: string): number {
    return this.#of(model).window;
  }

  seesImages(model: string): boolean {
    return this.#of(model).images;
  }

  #of(model: string): { readonly window: number; readonly images: boolean } {
    if (performance.now() > this.#until) {
      this.#known.clear();
      this.#until = performance.now() + freshMs;
    }
    let facts = this.#known.get(model);
    if (!facts) {
      const told = this.#providers.models().find(({ id }) => id === model);
      const name = nameOf(model);
      const window = told?.contextWindow || windows.find(([pattern]) => pattern.test(name))?.[1] || defaultWindow;
      facts = { window, images: told?.images ?? (!model.startsWith("offline/") && seeing.test(name)) };
      this.#known.set(model, facts);
    }
    return facts;
  }
}

/** Anybody may ask for a model by any name: what is longer is none that is known. */
const maxNameChars = 100;

/** Without the provider, and without the vendor that aggregators put before it. */
function nameOf(model: string): string {
  const from = model.lastIndexOf("/") + 1;
  return model.slice(from, from + maxNameChars).toLowerCase();
}
