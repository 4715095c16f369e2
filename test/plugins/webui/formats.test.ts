/** Numbers and times as people of each language write them. */
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { root } from "../../kit/sources.ts";

vi.hoisted(() => vi.stubGlobal("navigator", { languages: ["zh-CN"] }));
// Another file of this worker may have begun in another language.
vi.resetModules();
// The page has a TypeScript project of its own.
const formats = (await import(join(root, "plugins/webui/app/i18n/formats.ts"))) as { span(ms: number): string };

it.each([
  [0.0342, "0.034毫秒"],
  [5.14, "5.1毫秒"],
  [340.4, "340毫秒"],
  [61_000, "1分钟 1秒"],
  [90_061_000, "1天 1小时"],
])("a span of %d ms is %s", (ms, text) => {
  expect(formats.span(ms)).toBe(text);
});
