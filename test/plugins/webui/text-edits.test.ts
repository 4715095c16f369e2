/** What the pages compute about texts without a browser: differences, joining two works, and what may stand where in a config. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../kit/sources.ts";

interface Options {
  readonly from: number;
  readonly to: number;
  readonly options: readonly { readonly label: string; readonly insert?: string; readonly detail?: string }[];
}
interface Assist {
  complete(text: string, at: number, asked: boolean): Options | undefined;
  describe(text: string, at: number): { readonly title: string; readonly about: string } | undefined;
}
type Marks = Readonly<Record<"mine" | "middle" | "theirs", string>>;

// The page has a TypeScript project of its own.
const load = async <T>(path: string): Promise<T> => (await import(join(root, "plugins/webui/app", path))) as T;
const { merge, unifiedDiff } = await load<{
  merge(base: string, mine: string, theirs: string, marks: Marks): { text: string; conflicts: number };
  unifiedDiff(from: string, to: string): string;
}>("parts/line-diff.ts");
const { configAssist } = await load<{ configAssist(known: () => unknown, words: unknown): Assist }>(
  "pages/config/assist.ts",
);

const marks = { mine: "<", middle: "=", theirs: ">" };
const lines = (...all: string[]) => all.join("\n");

describe("differences", () => {
  it("are told as unified hunks with three lines around", () => {
    const before = "abcdefghijklm".split("");
    const after = before.map((line) => (line === "b" || line === "l" ? line.toUpperCase() : line));
    expect(unifiedDiff(lines(...before), lines(...after))).toBe(
      lines(
        "@@ -1,5 +1,5 @@",
        " a",
        "-b",
        "+B",
        " c",
        " d",
        " e",
        "@@ -9,5 +9,5 @@",
        " i",
        " j",
        " k",
        "-l",
        "+L",
        " m",
        "",
      ),
    );
    expect(unifiedDiff("same", "same")).toBe("");
  });

  it("of texts that share nothing are one, however long the texts are", () => {
    const long = (name: string) => Array.from({ length: 2000 }, (_, index) => `${name}${index}`);
    const diff = unifiedDiff(lines(...long("a")), lines(...long("b")));
    expect(diff.startsWith("@@ -1,2000 +1,2000 @@\n-a0")).toBe(true);
  });
});

describe("joining two works", () => {
  it("takes what only one changed, and both where both changed the same", () => {
    const base = lines("a", "b", "c", "d");
    expect(merge(base, lines("a", "B", "c", "d"), lines("a", "b", "c", "D", "e"), marks)).toEqual({
      text: lines("a", "B", "c", "D", "e"),
      conflicts: 0,
    });
    expect(merge(base, lines("a", "d"), lines("a", "d"), marks)).toEqual({ text: lines("a", "d"), conflicts: 0 });
    expect(merge(lines("a", "b"), lines("a", "x"), lines("a", "y"), marks)).toEqual({
      text: lines("a", "<", "x", "=", "y", ">"),
      conflicts: 1,
    });
  });

  it("keeps the one when the other changed nothing, whatever the texts are", () => {
    let seed = 7;
    const next = (most: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * most);
    };
    const text = () => lines(...Array.from({ length: next(12) }, () => "abcd"[next(4)] as string));
    for (let round = 0; round < 500; round++) {
      const [base, other] = [text(), text()];
      for (const [mine, theirs] of [
        [base, other],
        [other, base],
        [other, other],
      ] as const)
        expect(merge(base, mine, theirs, marks)).toEqual({ text: other, conflicts: 0 });
    }
  });
});

describe("help while a config is typed", () => {
  const schema = {
    type: "object",
    properties: {
      logging: {
        type: "object",
        description: "The log file",
        properties: {
          level: { anyOf: [{ const: "debug" }, { const: "info" }], default: "info", description: "How much is told" },
          size: { type: "integer", minimum: 1, maximum: 9, default: 3 },
        },
      },
      models: {
        type: "object",
        properties: {
          providers: {
            type: "object",
            patternProperties: {
              "^.*$": {
                type: "object",
                properties: { api_key: { type: "string", secret: true }, stream: { type: "boolean" } },
              },
            },
          },
        },
      },
      list: { type: "array", items: { type: "object", properties: { id: { type: "string" } } } },
    },
  };
  const words = {
    secret: () => "kept",
    fallback: (value: string) => `default ${value}`,
    isDefault: () => "default",
    told: (sentence: string) => sentence,
  };
  const assist = configAssist(() => schema, words);
  /** The bar is the cursor. */
  const at = (text: string, asked = true) => assist.complete(text.replace("|", ""), text.indexOf("|"), asked);
  const labels = (text: string) => at(text)?.options.map(({ label }) => label);

  it("offers keys that are not there yet, the best match first, with a value to fill in", () => {
    expect(labels("{ | }")).toEqual(["logging", "models", "list"]);
    expect(labels('{ "li|" }')).toEqual(["list"]);
    expect(labels('{ // "list": 1\n "logging": {}, | }')).toEqual(["models", "list"]);
    expect(labels('{ |\n "logging": {}, /* { */ "list": [] }')).toEqual(["models"]);
    expect(at('{ "logging": { "si| } }')).toMatchObject({ from: 15, to: 18, options: [{ insert: '"size": 3' }] });
    expect(at('{ "logging": { "size|": 4 } }')?.options[0]).toMatchObject({ insert: '"size"' });
    expect(at('{ "lo|" "models": {} }')?.options[0]).toMatchObject({ insert: '"logging": {},' });
    expect(labels('{ "models": { "providers": { "any": { "api_key": "x", | } } } }')).toEqual(["stream"]);
    expect(labels('{ "list": [ {}, { | } ] }')).toEqual(["id"]);
  });

  it("offers values, marks the default, and stays silent where nothing is known or nothing was typed", () => {
    expect(at('{ "logging": { "level": "|" } }')?.options).toEqual([
      expect.objectContaining({ label: '"debug"' }),
      expect.objectContaining({ label: '"info"', detail: "default" }),
    ]);
    expect(labels('{ "models": { "providers": { "x": { "stream": | } } } }')).toEqual(["true", "false"]);
    expect(labels('{ "unknown": { | } }')).toEqual([]);
    expect(at("| {}")).toBeUndefined();
    expect(at("{ // |\n }")).toBeUndefined();
    expect(at("{ | }", false)).toBeUndefined();
  });

  it("says what a key means", () => {
    const text = '{ "logging": { "level": "info", "size": 4 } }';
    expect(assist.describe(text, text.indexOf("level") + 1)).toMatchObject({
      title: "logging.level",
      about: '"debug" | "info" · How much is told · default "info"',
    });
    expect(assist.describe(text, text.indexOf("4"))).toMatchObject({
      title: "logging.size",
      about: "integer 1–9 · default 3",
    });
    expect(assist.describe('{ "x": 1 }', 3)).toBeUndefined();
  });
});
