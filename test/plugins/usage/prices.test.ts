/** Which price a call gets: by vendor's name, router's name, date, stage and the operator's own. */
import { describe, expect, it } from "vitest";
import { listedPrice, PriceBook } from "../../../plugins/usage/price-book.ts";
import { aliases, prices, pricesTaken } from "../../../plugins/usage/prices.ts";

describe("the list", () => {
  it("holds sane figures and says of when", () => {
    expect(pricesTaken).toMatch(/^20\d{2}-\d{2}-\d{2}$/);
    for (const [name, price] of Object.entries(prices)) {
      expect(name).toMatch(/^[a-z0-9.-]+$/);
      for (const rate of [price, ...(price.long ?? [])]) {
        expect(rate.input, name).toBeGreaterThan(0);
        expect(rate.output, name).toBeGreaterThanOrEqual(0);
        expect(rate.cached ?? 0, name).toBeLessThanOrEqual(rate.input);
      }
      const steps = (price.long ?? []).map(({ over }) => over);
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    }
    for (const name of Object.values(aliases)) expect(prices).toHaveProperty([name]);
  });

  it.each([
    ["gpt-4o", 2.5],
    ["gpt-4o-2024-11-20", 2.5],
    ["gpt-4o-2024-05-13", 5],
    ["GPT-4o", 2.5],
    ["gpt-3.5-turbo-0125", 0.5],
    ["openai/gpt-5.4-mini", 0.75],
    ["o1-preview", 15],
    ["claude-opus-4-5-20251101", 5],
    ["anthropic/claude-opus-4.5", 5],
    ["claude-sonnet-4@20250514", 3],
    ["claude-sonnet-4-20250514", 3],
    ["claude-3-5-sonnet-latest", 3],
    ["gemini-3-pro-preview", 2],
    ["models/gemini-2.5-flash", 0.3],
    ["gemini-2.5-flash-preview-09-2025", 0.3],
    ["gpt-6.1-terra", 1],
    ["claude-sonnet-5-5", 2],
    ["anthropic/claude-haiku-5.5", 0.1],
    ["MiniMax-M3", 0.3],
  ])("knows %s", (model, input) => {
    expect(listedPrice(model)?.input).toBe(input);
  });

  it.each([
    "gpt-5-something",
    "gpt-4-0125-preview",
    "gpt-4o-audio-preview",
    "z-ai/glm-5.3:free",
    "deepseek-v4-pro",
    "gpt-5.6-sol",
    "llama3",
    "",
    "constructor",
    "__proto__",
  ])("does not guess at %s", (model) => {
    expect(listedPrice(model)).toBeNull();
  });
});

describe("a price", () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 1_000_000 };
  const book = (own = {}) => new PriceBook(own, (provider) => provider === "local");

  it("of a long input is the one from there on", () => {
    const one = book();
    expect(one.cost("google", "google/gemini-2.5-pro", { inputTokens: 200_000, outputTokens: 0 })).toBeCloseTo(0.25);
    expect(one.cost("google", "google/gemini-2.5-pro", { inputTokens: 200_001, outputTokens: 0 })).toBeCloseTo(0.5, 4);
    expect(one.cost("claude", "claude-haiku-5-5", { inputTokens: 100_001, outputTokens: 0 })).toBeCloseTo(0.05, 4);
    const written = { inputTokens: 300_000, outputTokens: 0, cacheWriteTokens: 300_000 };
    expect(one.cost("openai", "openai/gpt-6-sol", written)).toBeCloseTo(1.5);
  });

  it("counts what was read from the cache and written to it", () => {
    const cached = { inputTokens: 1_000_000, outputTokens: 0, cachedTokens: 500_000, cacheWriteTokens: 100_000 };
    expect(book().cost("anthropic", "claude-opus-5", cached)).toBeCloseTo(0.4 * 5 + 0.5 * 0.5 + 0.1 * 6.25);
    expect(book().cost("x", "x/gpt-4", { inputTokens: 10, outputTokens: 0, cachedTokens: 50 })).toBeCloseTo(0.0015);
  });

  it("is the operator's own first, by provider and model or by the model alone", () => {
    const own = {
      "a/gpt-4o": { input: 1 },
      "gpt-4o": { input: 7, output: 7 },
      mine: { input: 1, output: 1, cached: 0 },
      half: { input: 1 },
    };
    expect(book(own).cost("a", "a/gpt-4o", usage)).toBe(11);
    expect(book(own).cost("b", "b/gpt-4o", usage)).toBe(14);
    expect(book(own).cost("local", "local/mine", { ...usage, cachedTokens: 1_000_000 })).toBe(1);
    expect(book(own).cost("x", "x/half", usage)).toBeNull();
    expect(book(own).cost("local", "local/gpt-4o-mini", usage)).toBeNull();
    expect(book({ free: { input: 0, output: 0 } }).cost("x", "x/free", usage)).toBe(0);
  });

  it("needs to know what was used", () => {
    expect(book().cost("openai", "openai/gpt-4o", null)).toBeNull();
  });
});
