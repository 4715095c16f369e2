import { expect, test } from "vitest";
import { formatPath, getAt, parsePath, setAt, startsWith } from "../../kernel/config/paths.ts";
import { refusal } from "./fixture.ts";

test.each([
  ["gateway.port", ["gateway", "port"]],
  [".agents..enable.", ["agents", "enabled"]],
  ["enable.x", ["enable", "x"]],
  ["a.b.0.c", ["a", "b", "0", "c"]],
  ['models.providers["my.host"].api_key', ["models", "providers", "my.host", "api_key"]],
  ["models.providers[my.host].api_key", ["models", "providers", "my.host", "api_key"]],
  ["list[0].x", ["list", "0", "x"]],
  ['a["enable"]', ["a", "enable"]],
  ['a["quote\\"d"]', ["a", 'quote"d']],
  ['[""]', [""]],
])("%s is read as %j", (text, path) => {
  expect(parsePath(text)).toEqual(path);
});

test.each([["a", "x.y", "b"], ["enable"], ["a", "enable"], ["a[0]", ""], ['q"', "é"], ["a", "0"]])(
  "formatting and reading agree on %j %j %j",
  (...path) => {
    const keys = path.filter((key) => key !== undefined);
    expect(parsePath(formatPath(keys))).toEqual(keys);
  },
);

test.each(["__proto__.x", "a.constructor", 'a["__proto__"]', "a.prototype.b", "a[constructor]"])(
  "%s reaches a prototype and is refused",
  async (text) => {
    expect((await refusal(() => parsePath(text))).code).toBe("CONFIG_KEY");
  },
);

test.each(["", "...", "a[", "a[]", "a.b".repeat(600), Array(70).fill("a").join(".")])("%s is no path", async (text) => {
  const error = await refusal(() => parsePath(text));
  expect([error.code, error.status]).toEqual(["CONFIG_PATH", 400]);
});

test("reading and setting follow own properties and array indices only", () => {
  const root: Record<string, unknown> = { a: { list: [{ x: 1 }] } };
  expect(getAt(root, ["a", "list", "0", "x"])).toBe(1);
  expect(getAt(root, ["a", "list", "length"])).toBeUndefined();
  expect(getAt(root, ["a", "toString"])).toBeUndefined();
  setAt(root, ["a", "list", "1"], { x: 2 });
  setAt(root, ["b", "c"], true);
  setAt(root, ["a", "list", "0"], undefined);
  setAt(root, ["nowhere", "deep"], undefined);
  expect(root).toEqual({ a: { list: [{ x: 2 }] }, b: { c: true } });
});

test("a scalar on the way is not silently replaced", async () => {
  const error = await refusal(() => setAt({ gateway: { port: 1 } }, ["gateway", "port", "x"], 2));
  expect(error.message).toContain("gateway.port, which holds a number");
  expect((await refusal(() => setAt({ list: [] }, ["list", "5"], 2))).code).toBe("CONFIG_PATH");
  expect((await refusal(() => setAt({}, ["a", "__proto__"], 2))).code).toBe("CONFIG_KEY");
});

test("a star in a prefix stands for one key", () => {
  expect(startsWith(["providers", "x", "timeout"], ["providers", "*", "timeout"])).toBe(true);
  expect(startsWith(["providers", "x"], ["providers", "*", "timeout"])).toBe(false);
});
