import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { decode, parseDocument } from "../../kernel/config/document.ts";
import { refusal } from "./fixture.ts";

test("comments, trailing commas, a byte order mark and CRLF are read", () => {
  const text = '\uFEFF{\r\n  // a comment\r\n  "a": [1, 2,], /* and another */\r\n  "b": "x",\r\n}\r\n';
  const document = parseDocument(text, "config.json");
  expect(document.raw).toEqual({ a: [1, 2], b: "x" });
  expect(document.hash).toBe(createHash("sha256").update(Buffer.from(text)).digest("hex"));
});

test.each([
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a "," is expected'],
  ['{"a": }', 1, 7, "a value is expected"],
  ['{\r\n"a": "open', 2, 6, "a string is not closed"],
  ['{"a": 1', 1, 8, 'the closing "}" is missing'],
  ["[1]", 1, 1, "must hold one object"],
  ["", 1, 1, "the file is empty"],
  ["  \n ", 1, 1, "the file is empty"],
  ["// only a comment", 1, 18, "a value is expected"],
  ["{} {}", 1, 4, "something follows"],
  ["{'a': 1}", 1, 2, "this is not JSON"],
])("%j is refused with its place", async (text, line, column, what) => {
  const error = await refusal(() => parseDocument(text, "/x/config.json"));
  expect(error.code).toBe("CONFIG_SYNTAX");
  expect(error.details).toEqual({ line, column });
  expect(error.message).toContain(`/x/config.json does not parse at line ${line}, column ${column}`);
  expect(error.message).toContain(what);
});

test.each(["__proto__", "constructor", "prototype"])("the key %s is refused at any depth", async (key) => {
  const error = await refusal(() => parseDocument(`{"a": [{"${key}": {"polluted": 1}}]}`, "config.json"));
  expect(error.code).toBe("CONFIG_KEY");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("an escaped prototype key is refused as well", async () => {
  const error = await refusal(() => parseDocument('{"\\u005f_proto__": {}}', "config.json"));
  expect(error.code).toBe("CONFIG_KEY");
});

test("64 levels are read, 65 and 100 000 are refused without a crash", async () => {
  const nested = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  expect(parseDocument(nested(64), "config.json").raw).toHaveProperty("a");
  for (const levels of [65, 100_000]) {
    const error = await refusal(() => parseDocument(nested(levels), "config.json"));
    expect(error.message).toContain("nested deeper than 64");
  }
});

test("a file over the limit is refused before it is parsed", async () => {
  const error = await refusal(() => parseDocument(`{"a":"${"x".repeat(5 * 1024 * 1024)}"}`, "config.json"));
  expect([error.code, error.status]).toEqual(["CONFIG_SIZE", 413]);
});

test("bytes that are not UTF-8 never become a config", async () => {
  const text = decode(Buffer.from('{"a":"é"}', "latin1"));
  const error = await refusal(() => parseDocument(text, "config.json"));
  expect([error.code, error.details]).toEqual(["CONFIG_SYNTAX", { line: 1, column: 1 }]);
  expect(error.message).toContain("UTF-8");
});

test("a key written twice: the last one counts, and its path is known", () => {
  const document = parseDocument('{"a": {"b": 1, "b": 2}, "c": 3, "c": 4}', "config.json");
  expect(document.raw).toEqual({ a: { b: 2 }, c: 4 });
  expect(document.duplicates).toEqual(["a.b", "c"]);
});
