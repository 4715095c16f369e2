/** The words of the page in each of its languages: a test names them by their keys, and so reads the page in any of them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fill, type Values } from "../../plugins/webui/app/i18n/fill.ts";
import type { Words } from "../../plugins/webui/app/i18n/words.ts";
import { root } from "../kit/sources.ts";

export type Locale = "en" | "zh-CN" | "zh-TW";
export type Key = keyof Words;
/** What the page says under a key. */
export type Say = (key: Key, values?: Values) => string;

const folder = join(root, "plugins/webui/app/i18n");

export async function words(locale: Locale): Promise<Say> {
  const files = readdirSync(join(folder, locale)).filter((file) => file.endsWith(".ts"));
  const chapters = files.map(async (file) => {
    const { words } = (await import(join(folder, locale, file))) as { words: Record<string, string> };
    return words;
  });
  const all: Record<string, string> = Object.assign({}, ...(await Promise.all(chapters)));
  return (key, values = {}) => {
    const text = all[key];
    if (text === undefined) throw new Error(`${locale} has no word for ${key}`);
    return fill(text, values, locale);
  };
}

/** `1.2K`, as the page writes large numbers in a language. */
export function compact(n: number, locale: Locale): string {
  return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

/** Finds a text whose open places hold whatever they hold: `pattern(w("providers.test.ok"))`. Parts are joined by `.*`. */
export function pattern(...parts: readonly string[]): RegExp {
  const escaped = parts.map((part) => part.replace(/[.*+?^$()[\]\\]/g, "\\$&").replace(/\{\w+\}/g, ".*"));
  return new RegExp(escaped.map((part) => `(?:${part})`).join(".*"));
}
