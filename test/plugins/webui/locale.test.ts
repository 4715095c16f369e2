/** Which language the page begins in. */
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { root } from "../../kit/sources.ts";

vi.hoisted(() => vi.stubGlobal("navigator", { languages: [] }));
// The page has a TypeScript project of its own.
const { Languages } = (await import(join(root, "plugins/webui/app/i18n/locale.ts"))) as {
  Languages: new () => { readonly locale: string };
};

it.each([
  [["zh-CN"], "zh-CN"],
  [["zh-Hans-HK"], "zh-CN"],
  [["zh-HK", "en"], "zh-TW"],
  [["zh-MO"], "zh-TW"],
  [["zh"], "zh-CN"],
  [["fr-FR", "zh-TW", "en"], "zh-TW"],
  [["fr-FR"], "en"],
  [["C"], "en"],
  [["C", "zh-CN"], "zh-CN"],
  [[], "en"],
])("of a browser that prefers %j is %s", (tags, locale) => {
  vi.stubGlobal("navigator", { languages: tags });
  expect(new Languages().locale).toBe(locale);
});
