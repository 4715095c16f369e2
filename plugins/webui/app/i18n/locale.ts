/** The languages of the page. One is chosen by the browser or by hand; its words load with the page that needs them. */
import { remember, remembered } from "../client/storage.ts";
import type { Words } from "./words.ts";

export const locales = ["en", "zh-CN", "zh-TW"] as const;
export type Locale = (typeof locales)[number];
export type Key = keyof Words;
type Values = Readonly<Record<string, string | number>>;

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
  | "form";

export class Languages extends EventTarget {
  #locale: Locale = preferred();
  #words: Readonly<Record<string, string>> = {};
  readonly #chapters = new Set<Chapter>();
  #plural = new Intl.PluralRules(this.#locale);

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
    this.#plural = new Intl.PluralRules(locale);
    remember("locale", locale);
    this.announce();
  }

  announce(): void {
    document.documentElement.lang = this.#locale;
    this.dispatchEvent(new Event("change"));
  }

  /** `{name}` is filled in; of `one|many` the part that suits `{n}` is taken. */
  text(key: Key, values: Values = {}): string {
    const found = this.#words[key] ?? key;
    const cut = found.indexOf("|");
    const one = cut !== -1 && typeof values.n === "number" && this.#plural.select(values.n) === "one";
    const form = cut === -1 || typeof values.n !== "number" ? found : one ? found.slice(0, cut) : found.slice(cut + 1);
    return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return typeof value === "number" ? number(value) : (value ?? whole);
    });
  }
}

export const languages = new Languages();

/** The text of a key in the language of the page. */
export function t(key: Key, values?: Values): string {
  return languages.text(key, values);
}

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(languages.locale, options).format(value);
}

function preferred(): Locale {
  const kept = locales.find((locale) => locale === remembered("locale"));
  return kept ?? navigator.languages.map(nearest).find((locale) => locale !== undefined) ?? "en";
}

function nearest(tag: string): Locale | undefined {
  const { language, script, region } = new Intl.Locale(tag).maximize();
  if (language === "zh") return script === "Hant" || region === "TW" || region === "HK" ? "zh-TW" : "zh-CN";
  return language === "en" ? "en" : undefined;
}

async function chapterWords(locale: Locale, chapter: Chapter): Promise<Readonly<Record<string, string>>> {
  const { words } = (await import(`./${locale}/${chapter}.ts`)) as { words: Readonly<Record<string, string>> };
  return words;
}
