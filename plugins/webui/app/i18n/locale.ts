/** The languages of the page. One is chosen by the browser or by hand; its words load with the page that needs them. */
import { remember, remembered } from "../client/storage.ts";
import { fill, type Values } from "./fill.ts";
import type { Words } from "./words.ts";

export const locales = ["en", "zh-CN", "zh-TW"] as const;
export type Locale = (typeof locales)[number];
export type Key = keyof Words;

/** Names of the languages, each in itself. */
export const localeNames: Readonly<Record<Locale, string>> = {
  en: "English",
  "zh-CN": "简体中文",
  "zh-TW": "繁體中文",
};

/** The files of words: one per page, beside those of the shell and of parts that load late. */
export type Chapter =
  | "shell"
  | "chat"
  | "dashboard"
  | "plugins"
  | "config"
  | "providers"
  | "mcp"
  | "files"
  | "logs"
  | "keys"
  | "editor"
  | "form"
  | "settings";

export class Languages extends EventTarget {
  #locale: Locale = preferred();
  #words: Readonly<Record<string, string>> = {};
  readonly #chapters = new Set<Chapter>();

  get locale(): Locale {
    return this.#locale;
  }

  async load(chapter: Chapter): Promise<void> {
    if (this.#chapters.has(chapter)) return;
    const words = await chapterWords(this.#locale, chapter);
    this.#chapters.add(chapter);
    this.#words = { ...this.#words, ...words };
  }

  /** Everything shown changes in place; nothing typed is lost. */
  async choose(locale: Locale): Promise<void> {
    const all = await Promise.all([...this.#chapters].map((chapter) => chapterWords(locale, chapter)));
    this.#locale = locale;
    this.#words = Object.assign({}, ...all) as Record<string, string>;
    remember("locale", locale);
    this.announce();
  }

  announce(): void {
    document.documentElement.lang = this.#locale;
    this.dispatchEvent(new Event("change"));
  }

  /** A sentence of a schema or a plugin, which are written in English: translated where it is one of the built-in ones. */
  told(sentence: string): string {
    return Object.hasOwn(this.#words, sentence) ? (this.#words[sentence] as string) : sentence;
  }

  text(key: Key, values: Values = {}): string {
    return fill(this.#words[key] ?? key, values, this.#locale);
  }
}

export const languages = new Languages();

/** The text of a key in the language of the page. */
export function t(key: Key, values?: Values): string {
  return languages.text(key, values);
}

/** What a plugin or a setting says of itself, in the language of the page where it is a built-in one. */
export function told(sentence: string): string {
  return languages.told(sentence);
}

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(languages.locale, options).format(value);
}

function preferred(): Locale {
  const kept = locales.find((locale) => locale === remembered("locale"));
  return kept ?? navigator.languages.map(nearest).find((locale) => locale !== undefined) ?? "en";
}

/** Undefined also for what is no language: a browser under the locale of POSIX says `C`. */
function nearest(tag: string): Locale | undefined {
  const { language, script } = parsed(tag)?.maximize() ?? {};
  if (language === "zh") return script === "Hant" ? "zh-TW" : "zh-CN";
  return language === "en" ? "en" : undefined;
}

function parsed(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
}

async function chapterWords(locale: Locale, chapter: Chapter): Promise<Readonly<Record<string, string>>> {
  const { words } = (await import(`./${locale}/${chapter}.ts`)) as { words: Readonly<Record<string, string>> };
  return words;
}
