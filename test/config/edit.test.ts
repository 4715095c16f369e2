import { expect, test } from "vitest";
import { parseDocument } from "../../kernel/config/document.ts";
import { rewrite } from "../../kernel/config/edit.ts";
import { parsePath, setAt } from "../../kernel/config/paths.ts";

/** The text after setting some paths; undefined removes. */
function after(text: string, edits: Record<string, unknown>): string {
  const document = parseDocument(text, "config.json");
  const target = structuredClone(document.raw);
  for (const [path, value] of Object.entries(edits)) setAt(target, parsePath(path), value);
  return rewrite(document, target).text;
}

const commented = `// head
{
  // about a
  "a": 1, // beside a
  /* before b */
  "b": {
    "x": true, // beside x
    "unknown": [1, 2,  3]
  },
  "c": 1.50 // the last
}
// tail
`;

test("a changed value leaves every other byte alone", () => {
  expect(after(commented, { a: 2 })).toBe(commented.replace('"a": 1,', '"a": 2,'));
  expect(after(commented, { "b.x": false })).toBe(commented.replace("true", "false"));
  expect(after(commented, { c: 1.5 })).toBe(commented);
});

test("a new key comes after the last one and its comment", () => {
  const expected = commented.replace('"c": 1.50 // the last', '"c": 1.50, // the last\n  "d": {\n    "e": []\n  }');
  expect(after(commented, { d: { e: [] } })).toBe(expected);
  expect(after(commented, { "b.y": 1 })).toContain('"unknown": [1, 2,  3],\n    "y": 1\n  },');
});

test("a removed key takes its line and no comment of others", () => {
  expect(after(commented, { "b.unknown": undefined })).toBe(
    commented.replace('    "unknown": [1, 2,  3]\n', "").replace('"x": true, //', '"x": true //'),
  );
  expect(after(commented, { a: undefined })).toContain("  // about a\n  // beside a\n  /* before b */");
  expect(after(commented, { c: undefined })).toContain("  }\n  // the last\n}");
});

test("removing and adding at once keeps the commas right", () => {
  expect(after('{\n  "a": 1,\n  "b": 2\n}\n', { b: undefined, c: 3 })).toBe('{\n  "a": 1,\n  "c": 3\n}\n');
  expect(after('{\n  "a": 1,\n  "b": 2,\n}\n', { a: undefined, b: undefined, c: 3 })).toBe('{\n  "c": 3\n}\n');
  expect(after('{ "a": 1 }', { a: undefined, b: 2 })).toBe('{ "b": 2 }');
  expect(after('{ "a": 1, "b": 2 }', { b: undefined })).toBe('{ "a": 1 }');
});

test("the style of the file is kept: CRLF, tabs, trailing commas, one line, byte order mark", () => {
  expect(after('\uFEFF{\r\n\t"a": 1,\r\n}\r\n', { b: { c: 1 } })).toBe(
    '\uFEFF{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 1\r\n\t},\r\n}\r\n',
  );
  expect(after('{"a":1}', { b: { c: [1] } })).toBe('{"a":1,"b":{"c":[1]}}');
  expect(after('{ "a": 1 /* one */ }', { b: 2 })).toBe('{ "a": 1, /* one */ "b": 2 }');
  expect(after("{}\n", { a: 1 })).toBe('{\n  "a": 1\n}\n');
  expect(after("{\n  // nothing yet\n}\n", { a: 1 })).toBe('{\n  // nothing yet\n  "a": 1\n}\n');
});

test("a line comment never swallows what is added", () => {
  const text = '{ "a": 1, // one\n  "b": 2 }';
  expect(parseDocument(after(text, { b: undefined, c: 3 }), "x").raw).toEqual({ a: 1, c: 3 });
});

test("arrays change item by item where they can", () => {
  const text = '{\n  "list": [\n    "a", // first\n    "b",\n    "c" // last\n  ]\n}\n';
  expect(after(text, { "list.1": "x" })).toBe(text.replace('"b"', '"x"'));
  expect(after(text, { "list.3": "d" })).toBe(text.replace('"c" // last', '"c", // last\n    "d"'));
  expect(after(text, { "list.1": undefined })).toBe(text.replace('    "b",\n', ""));
});

test("of a key written twice the one that counts is changed; removing it removes both", () => {
  expect(after('{"a": 1, "b": 0, "a": 2}', { a: 3 })).toBe('{"a": 1, "b": 0, "a": 3}');
  expect(parseDocument(after('{"a": 1, "b": 0, "a": 2}', { a: undefined }), "x").raw).toEqual({ b: 0 });
});

/** A small generator of its own: the same numbers every time. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

test("2,000 random changes of random documents give exactly the value asked for, in the line ends of the file", () => {
  const random = randomNumbers(7);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const value = (depth: number): unknown => {
    const kind = random();
    if (depth > 2 || kind < 0.5) return pick([0, 1, -2.5, true, null, "", 'quo"te', "// no comment", "é"]);
    const size = Math.floor(random() * 4);
    if (kind < 0.7) return Array.from({ length: size }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length: size }, () => [pick(["a", "b", "c.d", "e"]), value(depth + 1)]));
  };
  const object = () => ({ ...(value(3) as object), k: value(0), l: value(0), [pick(["m", "n"])]: value(0) });
  const decorate = (json: string) =>
    json.replace(/,\n/g, () => pick([",\n", ", // c\n", " /* c */,\n", ",\n// c\n", ", \n\n"]));
  for (let round = 0; round < 2000; round++) {
    const indent = pick([0, 2, "\t"]);
    const plain = decorate(JSON.stringify(object(), null, indent));
    const text = pick([plain, plain.replaceAll("\n", "\r\n"), plain.replace(/(["\d\]}])(\s*)\}$/, "$1,$2}")]);
    const target = structuredClone(pick([object(), { ...parseDocument(text, "x").raw, k: value(0) }])) as never;
    const next = rewrite(parseDocument(text, "x"), target).text;
    expect(parseDocument(next, "x").raw, `${text}\n→ ${JSON.stringify(target)}`).toEqual(target);
    if (text.includes("\r\n")) expect(next.replaceAll("\r\n", "")).not.toContain("\n");
  }
});
