/** The words of the WebUI: every language has every one of them, with the same places to fill in, and none that nobody says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../kit/sources.ts";

type Words = Readonly<Record<string, string>>;

const app = join(root, "plugins/webui/app");
// `settings` is by sentence, and has its own test.
const chapters = readdirSync(join(app, "i18n/en"))
  .map((name) => name.replace(/\.ts$/, ""))
  .filter((name) => name !== "settings");

async function wordsOf(locale: string, chapter: string): Promise<Words> {
  const { words } = (await import(join(app, `i18n/${locale}/${chapter}.ts`))) as { words: Words };
  return words;
}

const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

/** What is written as in English on purpose: names, and words that are the same. */
const isName = (text: string) =>
  !/[a-z]{2}/.test(text.replace(/\{\w+\}/g, "")) || /^[A-Z][\w.]*( [A-Z][\w.]*)*$/.test(text);

describe.each(["zh-CN", "zh-TW"])("the words in %s", (locale) => {
  it.each(chapters)("of %s are complete", async (chapter) => {
    const [english, translated] = await Promise.all([wordsOf("en", chapter), wordsOf(locale, chapter)]);
    expect(Object.keys(translated).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) {
      const other = translated[key] ?? "";
      expect(other.trim(), key).not.toBe("");
      expect(places(other), key).toEqual(places(text));
      if (!isName(text)) expect(other, `${key} is not translated`).not.toBe(text);
    }
  });
});

describe("the words", () => {
  it("belong to their chapter and are all said somewhere", async () => {
    const sources = readdirSync(app, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("i18n/"))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
    const patterns = [...sources.matchAll(/`([a-z]+\.[\w.]*)\$\{/g)].map(([, start]) => start as string);
    for (const chapter of chapters) {
      const keys = Object.keys(await wordsOf("en", chapter));
      const silent = keys.filter(
        (key) => !sources.includes(`"${key}"`) && !patterns.some((start) => key.startsWith(start)),
      );
      expect(silent, chapter).toEqual([]);
      const prefix = chapter === "shell" ? /^(app|login|nav|palette|ui)\./ : new RegExp(`^${chapter}\\.`);
      expect(keys.filter((key) => !prefix.test(key))).toEqual([]);
    }
  });
});
