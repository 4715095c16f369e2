/** Finds what a call cost: what the operator wrote goes before the list, and where neither knows the model nobody guesses. */
import type { Usage } from "@chela/sdk";
import { aliases, type Price, prices } from "./prices.ts";

export interface OwnPrice {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
}

/** What a model is called and what it may be found under; from `vendor/name`, with or without a date. */
const dates = [/-20\d{2}-\d{2}-\d{2}$/, /-20\d{6}$/, /@20\d{6}$/, /-\d{2}-20\d{2}$/, /-\d{4}$/, /-\d{3}$/];
const stages = /-(latest|preview|exp|experimental|beta)$/;
const maxKnown = 1_000;

export class PriceBook {
  readonly #own: Readonly<Record<string, OwnPrice>>;
  readonly #isLocal: (provider: string) => boolean;
  readonly #known = new Map<string, Price | null>();

  /** `isLocal`: the provider's address is on this machine, so a name says nothing about a price. */
  constructor(own: Readonly<Record<string, OwnPrice>>, isLocal: (provider: string) => boolean) {
    this.#own = own;
    this.#isLocal = isLocal;
  }

  /** US dollars; null when the price or the usage is not known. */
  cost(provider: string, model: string, usage: Usage | null): number | null {
    const price = usage === null ? null : this.price(provider, model);
    return price === null || usage === null ? null : costOf(price, usage);
  }

  /** US dollars for a million tokens. */
  price(provider: string, model: string): Price | null {
    const name = model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
    let price = this.#known.get(name);
    if (price === undefined) {
      if (this.#known.size >= maxKnown) this.#known.clear();
      price = this.#find(provider, name);
      this.#known.set(name, price);
    }
    return price;
  }

  #find(provider: string, name: string): Price | null {
    const bare = name.slice(provider.length + 1);
    const own = entry(this.#own, name) ?? entry(this.#own, bare);
    const listed = this.#isLocal(provider) ? null : listedPrice(bare);
    if (!own) return listed;
    const input = own.input ?? listed?.input;
    const output = own.output ?? listed?.output;
    if (input === undefined || output === undefined) return null;
    // What the operator says holds for every length of the input.
    const cached = own.cached ?? (own.input === undefined ? listed?.cached : undefined);
    return { input, output, ...(cached !== undefined && { cached }) };
  }
}

/** Null for a model that is not on the list; `gpt-5-something` is not `gpt-5`. */
export function listedPrice(model: string): Price | null {
  // Free tiers and the like have other prices than their models.
  if (model.includes(":")) return null;
  const bare = (model.split("/").at(-1) ?? "").trim().toLowerCase();
  for (const name of namesOf(bare)) {
    const found = entry(prices, entry(aliases, name) ?? name);
    if (found) return found;
  }
  return null;
}

function* namesOf(name: string): Iterable<string> {
  yield name;
  const undated = dates.reduce((text, date) => (text === name ? text.replace(date, "") : text), name);
  yield undated;
  const plain = undated.replace(stages, "");
  yield plain;
  // Routers write claude-opus-4.5 for claude-opus-4-5.
  if (plain.startsWith("claude-")) yield plain.replaceAll(".", "-");
}

function costOf(price: Price, usage: Usage): number {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0 } = usage;
  const rate = price.long?.findLast(({ over }) => inputTokens > over) ?? price;
  const fresh = Math.max(0, inputTokens - cachedTokens - cacheWriteTokens);
  const sum =
    fresh * rate.input +
    cachedTokens * (rate.cached ?? rate.input) +
    cacheWriteTokens * (rate.cacheWrite ?? rate.input) +
    outputTokens * rate.output;
  return sum / 1_000_000;
}

function entry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
