/**
 * What public models cost, as data: US dollars for a million tokens, list prices of the vendors' own APIs. A model that is not
 * here has no known price; one that costs more for long inputs says from where. Left out is what goes by the hour or ends on a
 * day: DeepSeek's models, Gemini 3.8 Flash, GPT-5.6 Sol.
 */

/** When the list was last compared with what the vendors publish, or with copies of it. */
export const pricesTaken = "2026-11-21";

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

/** Anthropic: writing to the cache costs a quarter more than input; reading a tenth, of some models less. */
function claude(input: number, output: number, cached = input / 10): Price {
  return { input, output, cached, cacheWrite: input * 1.25 };
}

/** OpenAI since 5.4: beyond 272,000 input tokens input costs twice as much and output half as much again. */
function openAiLong(input: number, output: number, cached?: number): Price {
  const long = { over: 272_000, ...price(input * 2, output * 1.5, cached && cached * 2) };
  return { ...price(input, output, cached), long: [long] };
}

/** Since 5.6 writing to the cache costs a quarter more than input. */
function openAi6(input: number, output: number, cached: number): Price {
  const { long = [], ...short } = openAiLong(input, output, cached);
  const cacheWrite = input * 1.25;
  return { ...short, cacheWrite, long: long.map((rate) => ({ ...rate, cacheWrite: cacheWrite * 2 })) };
}

/** Sonnet 4 and 4.5 cost more beyond 200,000 input tokens. */
const sonnet4: Price = { ...claude(3, 15), long: [{ over: 200_000, ...claude(6, 22.5) }] };
const geminiPro3: Price = { ...price(2, 12, 0.2), long: [{ over: 200_000, ...price(4, 18, 0.4) }] };
/** Haiku 5.5 costs five times as much beyond 100,000 input tokens. */
const haiku55: Price = { ...claude(0.1, 0.5), long: [{ over: 100_000, ...claude(0.5, 2.5) }] };
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
  "gpt-5.4": openAiLong(2.5, 15, 0.25),
  "gpt-5.4-pro": openAiLong(30, 180),
  "gpt-5.5": openAiLong(5, 30, 0.5),
  "gpt-5.5-pro": openAiLong(30, 180),
  "gpt-5.6-luna": openAi6(0.2, 1.2, 0.02),
  "gpt-5.6-terra": openAi6(2, 12, 0.2),
  "gpt-6-astra": openAi6(10, 50, 1),
  "gpt-6-luna": openAi6(0.1, 0.5, 0.01),
  "gpt-6-sol": openAi6(2, 10, 0.2),
  "gpt-6.1-sol": openAi6(2, 10, 0.1),
  "gpt-6.1-terra": openAi6(1, 5, 0.05),
  o1: price(15, 60, 7.5),
  "o1-pro": price(150, 600),
  o3: price(2, 8, 0.5),
  "o3-mini": price(1.1, 4.4, 0.55),
  "o3-pro": price(20, 80),
  "o4-mini": price(1.1, 4.4, 0.275),
  "text-embedding-3-small": price(0.02, 0),
  "text-embedding-3-large": price(0.13, 0),
  // Anthropic
  "claude-3-haiku": { ...price(0.25, 1.25, 0.03), cacheWrite: 0.3 },
  "claude-3-5-haiku": claude(0.8, 4),
  "claude-3-5-sonnet": claude(3, 15),
  "claude-3-7-sonnet": claude(3, 15),
  "claude-3-opus": claude(15, 75),
  "claude-fable-5": claude(10, 50),
  "claude-fable-5-1": claude(10, 50, 0.25),
  "claude-haiku-4-5": claude(1, 5),
  "claude-haiku-5-5": haiku55,
  "claude-sonnet-4": sonnet4,
  "claude-sonnet-4-5": sonnet4,
  "claude-sonnet-4-6": claude(3, 15),
  "claude-sonnet-5": claude(2, 10),
  "claude-sonnet-5-5": claude(2, 10, 0.1),
  "claude-opus-4": claude(15, 75),
  "claude-opus-4-1": claude(15, 75),
  "claude-opus-4-5": claude(5, 25),
  "claude-opus-4-6": claude(5, 25),
  "claude-opus-4-7": claude(5, 25),
  "claude-opus-4-8": claude(5, 25),
  "claude-opus-5": claude(5, 25),
  "claude-opus-5-5": claude(4, 20, 0.2),
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
  // Kimi
  "kimi-k2.5": price(0.6, 3, 0.1),
  "kimi-k2.6": price(0.95, 4, 0.16),
  "kimi-k3": price(3, 15, 0.3),
  // GLM
  "glm-4.6": price(0.6, 2.2, 0.11),
  "glm-5.1": price(1.4, 4.4, 0.26),
  "glm-5.2": price(1.4, 4.4, 0.26),
  "glm-5.3": price(1.4, 4.4, 0.26),
  // MiniMax, xAI
  "minimax-m2.7": { ...price(0.3, 1.2, 0.06), cacheWrite: 0.375 },
  "minimax-m3": { ...price(0.3, 1.2, 0.06), long: [{ over: 512_000, ...price(0.6, 2.4, 0.12) }] },
  "grok-4.5": { ...price(2, 6, 0.3), long: [{ over: 200_000, ...price(4, 12, 0.6) }] },
  "grok-4.6": { ...price(2, 6, 0.5), long: [{ over: 200_000, ...price(4, 12, 1) }] },
  "grok-4.3": { ...price(1.25, 2.5, 0.2), long: [{ over: 200_000, ...price(2.5, 5, 0.4) }] },
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
