/** What the form of a schema computes without a browser: edits, problems, badges, and what new values begin as. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../kit/sources.ts";

type Keys = readonly string[];
interface KeyEdit {
  readonly keys: Keys;
  readonly value: unknown;
}

// The page has a TypeScript project of its own.
const load = async <T>(name: string): Promise<T> =>
  (await import(join(root, "plugins/webui/app/parts/schema-form", name))) as T;
const { editsBetween, edited, configPath } = await load<{
  editsBetween(before: unknown, after: unknown): KeyEdit[];
  edited(value: unknown, edits: readonly KeyEdit[]): unknown;
  configPath(keys: Keys): string;
}>("values.ts");
const { check, nearestShape } = await load<{
  check(schema: object, value: unknown): { keys: Keys; rule: string }[];
  nearestShape(variants: readonly object[], value: unknown): number;
}>("check.ts");
const { heatOf } = await load<{ heatOf(hot: Keys, keys: Keys): string }>("effects.ts");
const { kindOf, startOf, wholeOf } = await load<
  Record<"startOf" | "wholeOf", (schema: object) => unknown> & { kindOf(schema: object): string }
>("schema.ts");

describe("edits", () => {
  it("name the keys that differ, lists as a whole, and lead from one value to the other", () => {
    const before = { a: 1, b: { c: 2, d: [1, 2] }, gone: true };
    const after = { a: 1, b: { c: 3, d: [2] }, fresh: { deep: { x: 1 }, empty: {} } };
    const edits = editsBetween(before, after);
    expect(edits).toEqual([
      { keys: ["b", "c"], value: 3 },
      { keys: ["b", "d"], value: [2] },
      { keys: ["gone"], value: undefined },
      { keys: ["fresh", "deep", "x"], value: 1 },
      { keys: ["fresh", "empty"], value: {} },
    ]);
    expect(edited(before, edits)).toEqual(after);
  });

  it("go on top of what somebody else wrote meanwhile", () => {
    const mine = editsBetween(undefined, { url: "x" });
    expect(edited({ every: 5 }, mine)).toEqual({ every: 5, url: "x" });
  });

  it("reach no prototype, and spell their paths as the gateway does", () => {
    const odd = JSON.parse('{"__proto__": {"bad": 1}}') as object;
    expect(JSON.stringify(edited({}, editsBetween({}, odd)))).toBe('{"__proto__":{"bad":1}}');
    expect(configPath(["a", "x.y", "", "enable"])).toBe('a["x.y"][""]["enable"]');
  });
});

describe("problems", () => {
  const schema = {
    type: "object",
    required: ["name", "port"],
    properties: {
      name: { type: "string", minLength: 2, maxLength: 3, pattern: "^a" },
      port: { type: "integer", minimum: 1, maximum: 9, default: 5 },
      tone: { anyOf: [{ const: "calm" }, { const: "loud" }] },
      list: { type: "array", items: { type: "string" }, maxItems: 2, uniqueItems: true },
      when: { anyOf: [{ const: false }, { type: "object", properties: { hour: { type: "integer", maximum: 23 } } }] },
      key: { type: "string", secret: true, minLength: 50 },
    },
    additionalProperties: false,
  };
  const rules = (value: object) => check(schema, value).map(({ keys, rule }) => `${keys.join(".")} ${rule}`);

  it.each<[object, string[]]>([
    [{ name: "abc", port: 3, tone: "loud", list: ["a"], when: { hour: 3 } }, []],
    [{}, ["name needed"]],
    [{ name: "a" }, ["name minLength"]],
    [{ name: "abcd" }, ["name maxLength"]],
    [{ name: "bc" }, ["name pattern"]],
    [{ name: "ab", port: 1.5 }, ["port integer"]],
    [{ name: "ab", port: 10 }, ["port maximum"]],
    [{ name: "ab", tone: "shrill" }, ["tone choice"]],
    [{ name: "ab", list: ["a", "a", 3] }, ["list maxItems", "list unique", "list.2 type"]],
    [{ name: "ab", list: ["a", "a"] }, ["list unique"]],
    [{ name: "ab", when: { hour: 30 } }, ["when.hour maximum"]],
    [{ name: "ab", when: 3 }, ["when shape"]],
    [{ name: "ab", key: "__CHELA_REDACTED__", more: 1 }, ["more unknown"]],
  ])("of %j", (value, expected) => {
    expect(rules(value)).toEqual(expected);
  });
});

it("leaves a variable of the environment in any place alone", () => {
  const properties = {
    port: { type: "integer" },
    on: { type: "boolean" },
    url: { type: "string", pattern: "^https:" },
  };
  const schema = { type: "object", properties: { ...properties, tone: { enum: ["calm"] } } };
  const [whole, part] = ["$" + "{ANY}", "$" + "{HOST}/v1"];
  expect(check(schema, { port: whole, on: whole, url: part, tone: whole })).toEqual([]);
});

it("keeps to a shape while what is typed into it does not fit yet", () => {
  const member = (kind: string, key: string) => ({
    type: "object",
    properties: { kind: { const: kind }, [key]: { type: "string", minLength: 1 } },
    required: ["kind", key],
  });
  const shapes = [{ type: "string" }, member("http", "url"), member("file", "path"), { type: "null" }];
  expect(nearestShape(shapes, { kind: "file", path: "" })).toBe(2);
  expect(nearestShape(shapes, { kind: "http", url: "" })).toBe(1);
  expect(nearestShape(shapes, "x")).toBe(0);
  expect(nearestShape(shapes, null)).toBe(3);
});

it("tells what applies at once as the gateway does", () => {
  expect(heatOf(["*"], ["a", "b"])).toBe("hot");
  expect(heatOf([], ["a"])).toBe("cold");
  expect(heatOf(["a.b"], ["a"])).toBe("mixed");
  expect(heatOf(["a.*"], ["a", "b", "c"])).toBe("hot");
  expect(heatOf(["servers.*.name"], ["servers", "x", "name"])).toBe("hot");
  expect(heatOf(["servers.*.name"], ["servers", "x", "url"])).toBe("cold");
});

it("has a control for every schema, and a beginning for every value", () => {
  const kinds = [
    [{ type: "string" }, "text", ""],
    [{ type: "string", secret: true }, "secret", ""],
    [{ type: "integer", minimum: 3 }, "number", 3],
    [{ enum: ["a", "b"] }, "choice", "a"],
    [{ anyOf: [{ const: "a" }, { type: "string" }] }, "text", "a"],
    [{ type: ["string", "null"] }, "union", ""],
    [{ anyOf: [{ type: "number" }, { type: "object" }] }, "union", 0],
    [{ type: "array", items: {} }, "list", []],
    [{ type: "array" }, "json", []],
    [{ $ref: "#" }, "json", null],
    [{}, "json", null],
  ] as const;
  for (const [schema, kind, start] of kinds) {
    expect([schema, kindOf(schema), startOf(schema)]).toEqual([schema, kind, start]);
  }
  const shape = { type: "object", required: ["hour"], properties: { hour: { type: "integer", default: 8 }, note: {} } };
  expect(wholeOf(shape)).toEqual({ hour: 8 });
});
