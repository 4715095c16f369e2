/** What the built-in plugins and their settings say of themselves is there in every language, and nothing that they do not say. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { kernelSections } from "../../../kernel/config/sections.ts";
import { listPresets } from "../../../plugins/providers/faces/presets.ts";
import { binary } from "../../kit/binary.ts";
import { root } from "../../kit/sources.ts";

interface Builtin {
  readonly about: string;
  readonly schema: unknown;
}

function sentencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    (key === "description" || key === "title") && typeof member === "string" ? [member] : sentencesIn(member),
  );
}

const builtins = JSON.parse(readFileSync(join(dirname(binary()), "builtins.json"), "utf8")) as readonly Builtin[];
const said = [
  ...kernelSections.flatMap(({ schema }) => sentencesIn(schema)),
  ...builtins.flatMap(({ about, schema }) => [about, ...sentencesIn(schema)]),
];

const { presets } = listPresets({}) as { presets: readonly { readonly title: string }[] };
/** Names of vendors, of which some have another one in Chinese. */
const names = presets.map(({ title }) => title);

it.each(["zh-CN", "zh-TW"])("the settings in %s are complete", (locale) => {
  const path = join(root, `plugins/webui/app/i18n/${locale}/settings.json`);
  const words = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  expect([...new Set(said)].filter((sentence) => words[sentence] === undefined)).toEqual([]);
  expect(Object.keys(words).filter((sentence) => !said.includes(sentence) && !names.includes(sentence))).toEqual([]);
  const code = (text: string) => [...new Set(text.match(/`[^`]+`/g) ?? [])].sort();
  for (const [sentence, text] of Object.entries(words)) {
    expect(text.trim(), sentence).not.toBe("");
    expect(code(text), sentence).toEqual(code(sentence));
  }
});
