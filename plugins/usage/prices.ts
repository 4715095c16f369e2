/**
 * What public models cost, as data: US dollars for a million tokens, list prices of the vendors' own APIs. A model that is
 * not here has no known price; one that costs more for long inputs says from where.
 */

/** When the list was last compared with what the vendors publish. */
export const pricesTaken = "2026-07-24";

export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input tokens read from the upstream's cache; absent: as `input`. */
  readonly cached?: number;
  /** Input tokens written to that cache; absent: as `input`. */
  readonly cacheWrite?: number;
  /** For calls with more input tokens than `over`; the last one that fits. */
  readonly long?: readonly (Omit<Price, "long"> & { readonly over: number })[];
}

function price(input: number, output: number, cached?: number): Price {
  return { input, output, ...(cached !== undefined && { cached }) };
}

/** Anthropic: writing to the cache costs a quarter more than input, reading a tenth. */
function claude(input: number, output: number): Price {
  return { input, output, cached: input / 10, cacheWrite: input * 1.25 };
}

/** OpenAI since 5.4: beyond 272,000 input tokens input costs twice as much and output half as much again. */
function openAiLong(input: number, output: number): Price {
  const long = { over: 272_000, ...price(input * 2, output * 1.5, input / 5) };
  return { ...price(input, output, input / 10), long: [long] };
}

/** Sonnet 4 and 4.5 cost more beyond 200,000 input tokens. */
const sonnet4: Price = { ...claude(3, 15), long: [{ over: 200_000, ...claude(6, 22.5) }] };
const geminiPro3: Price = { ...price(2, 12, 0.2), long: [{ over: 200_000, ...price(4, 18, 0.4) }] };
const geminiPro25: Price = { ...price(1.25, 10, 0.125), long: [{ over: 200_000, ...price(2.5, 15, 0.25) }] };

/** By the vendor's own name of the model, without its date unless that makes a difference. */
export const prices: Readonly<Record<string, Price>> = {
  // OpenAI
  "gpt-3.5-turbo": price(0.5, 1.5),
  "gpt-3.5-turbo-1106": price(1, 2),
  "gpt-4": price(30, 60),
  "gpt-4-turbo": price(10, 30),
  "gpt-4o": price(2.5, 10, 1.25),
  "gpt-4o-2024-05-13": price(5, 15),
  "gpt-4o-mini": price(0.15, 0.6, 0.075),
  "gpt-4.1": price(2, 8, 0.5),
  "gpt-4.1-mini": price(0.4, 1.6, 0.1),
  "gpt-4.1-nano": price(0.1, 0.4, 0.025),
  "gpt-5": price(1.25, 10, 0.125),
  "gpt-5-codex": price(1.25, 10, 0.125),
  "gpt-5-mini": price(0.25, 2, 0.025),
  "gpt-5-nano": price(0.05, 0.4, 0.005),
  "gpt-5-pro": price(15, 120),
  "gpt-5.1": price(1.25, 10, 0.125),
  "gpt-5.1-codex": price(1.25, 10, 0.125),
  "gpt-5.1-codex-max": price(1.25, 10, 0.125),
  "gpt-5.1-codex-mini": price(0.25, 2, 0.025),
  "gpt-5.2": price(1.75, 14, 0.175),
  "gpt-5.2-codex": price(1.75, 14, 0.175),
  "gpt-5.2-pro": price(21, 168),
  "gpt-5.3-codex": price(1.75, 14, 0.175),
  "gpt-5.4-mini": price(0.75, 4.5, 0.075),
  "gpt-5.4-nano": price(0.2, 1.25, 0.02),
  "gpt-5.4": openAiLong(2.5, 15),
  "gpt-5.4-pro": openAiLong(30, 180),
  "gpt-5.5": openAiLong(5, 30),
  "gpt-5.5-pro": openAiLong(30, 180),
  "gpt-5.6": openAiLong(5, 30),
  "gpt-5.6-luna": openAiLong(1, 6),
  "gpt-5.6-sol": openAiLong(5, 30),
  "gpt-5.6-terra": openAiLong(2.5, 15),
  o1: price(15, 60, 7.5),
  "o1-pro": price(150, 600),
  o3: price(2, 8, 0.5),
  "o3-mini": price(1.1, 4.4, 0.55),
  "o3-pro": price(20, 80),
  "o4-mini": price(1.1, 4.4, 0.275),
  "text-embedding-3-small": price(0.02, 0),
  "text-embedding-3-large": price(0.13, 0),
  // Anthropic
  "claude-3-haiku": claude(0.25, 1.25),
  "claude-3-5-haiku": claude(0.8, 4),
  "claude-3-5-sonnet": claude(3, 15),
  "claude-3-7-sonnet": claude(3, 15),
  "claude-3-opus": claude(15, 75),
  "claude-haiku-4-5": claude(1, 5),
  "claude-sonnet-4": sonnet4,
  "claude-sonnet-4-5": sonnet4,
  "claude-sonnet-4-6": claude(3, 15),
  "claude-sonnet-5": claude(2, 10),
  "claude-opus-4": claude(15, 75),
  "claude-opus-4-1": claude(15, 75),
  "claude-opus-4-5": claude(5, 25),
  "claude-opus-4-6": claude(5, 25),
  "claude-opus-4-7": claude(5, 25),
  "claude-opus-4-8": claude(5, 25),
  "claude-opus-5": claude(5, 25),
  // Google
  "gemini-2.0-flash": price(0.1, 0.4, 0.025),
  "gemini-2.0-flash-lite": price(0.075, 0.3),
  "gemini-2.5-flash": price(0.3, 2.5, 0.03),
  "gemini-2.5-flash-lite": price(0.1, 0.4, 0.01),
  "gemini-2.5-pro": geminiPro25,
  "gemini-3-flash": price(0.5, 3, 0.05),
  "gemini-3-pro": geminiPro3,
  "gemini-3.1-flash-lite": price(0.25, 1.5, 0.025),
  "gemini-3.1-pro": geminiPro3,
  "gemini-3.5-flash": price(1.5, 9, 0.15),
  "gemini-3.5-flash-lite": price(0.3, 2.5, 0.03),
  "gemini-3.6-flash": price(1.5, 7.5, 0.15),
  "gemini-embedding-001": price(0.15, 0),
  // DeepSeek
  "deepseek-chat": price(0.28, 0.42, 0.028),
  "deepseek-reasoner": price(0.28, 0.42, 0.028),
  "deepseek-v4-flash": price(0.14, 0.28, 0.0028),
  "deepseek-v4-pro": price(0.435, 0.87, 0.0036),
  // Qwen
  "qwen3-max": {
    ...price(1.2, 6),
    long: [
      { over: 32_000, ...price(2.4, 12) },
      { over: 128_000, ...price(3, 15) },
    ],
  },
  // Kimi
  "kimi-k2.5": price(0.6, 2.25, 0.1),
  "kimi-k2.6": price(0.954, 3.961, 0.161),
  // GLM
  "glm-4.6": price(0.6, 2.2, 0.11),
  "glm-5.1": price(1.4, 4.4, 0.28),
  // MiniMax, xAI
  "minimax-m2.7": price(0.3, 1.2, 0.06),
  "grok-4.3": price(1.25, 2.5, 0.2),
  "grok-4.5": price(2, 6, 0.5),
};

/** Other names of the same models. */
export const aliases: Readonly<Record<string, string>> = {
  "chatgpt-4o": "gpt-4o",
  "gpt-5-chat": "gpt-5",
  "gpt-5.1-chat": "gpt-5.1",
  "gpt-5.2-chat": "gpt-5.2",
  "claude-4-opus": "claude-opus-4",
  "claude-4-sonnet": "claude-sonnet-4",
  "claude-opus-4-0": "claude-opus-4",
  "claude-sonnet-4-0": "claude-sonnet-4",
};
