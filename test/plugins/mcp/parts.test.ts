/** The parts that judge what a server says: names, schemas, results, lines, floods. */
import { describe, expect, it } from "vitest";
import { Flood } from "../../../plugins/mcp/client/flood.ts";
import { Lines } from "../../../plugins/mcp/client/lines.ts";
import { localName, uniqueName } from "../../../plugins/mcp/client/names.ts";
import { plainLine, plainText, plainWords } from "../../../plugins/mcp/client/plain.ts";
import { type Blob, promptText, resourceText, resultText } from "../../../plugins/mcp/client/result.ts";
import { boundSchema } from "../../../plugins/mcp/client/schema.ts";

describe("T7: names", () => {
  it.each([
    ["Context7 Server", "resolve-library.id", "mcp__context7_server__resolve_library_id"],
    ["a--b", "__x__", "mcp__a_b__x"],
    ["服务器", "", "mcp__tool__tool"],
    ["UPPER", "Case_Kept", "mcp__upper__case_kept"],
    ["s", "x".repeat(56), `mcp__s__${"x".repeat(56)}`],
  ])("%s %s → %s", (server, tool, name) => {
    expect(localName(server, tool)).toBe(name);
  });

  it("cuts long ones, and keeps them apart", () => {
    const names = ["x", "y"].map((end) => localName("server", "long ".repeat(30) + end));
    for (const name of names) expect(name).toMatch(/^mcp__server__(?:long_)+l?o?n?g?_[0-9a-f]{8}$/);
    expect(names.map((name) => name.length)).toEqual([64, 64]);
    expect(new Set(names).size).toBe(2);
    // The same sum as Go's hash/fnv gives.
    expect(localName("a", "b".repeat(100)).slice(-8)).toBe(fnv("a::".concat("b".repeat(100))));
  });

  it("numbers what would be the same", () => {
    const taken = new Set<string>();
    const names = ["a.b", "a-b", "a b"].map((tool) => uniqueName("s", tool, taken));
    expect(names).toEqual(["mcp__s__a_b", "mcp__s__a_b_2", "mcp__s__a_b_3"]);
    const long = "x".repeat(56);
    expect(uniqueName("s", long, taken)).toHaveLength(64);
    expect(uniqueName("S", long, taken)).toBe(`mcp__s__${"x".repeat(54)}_2`);
  });
});

function fnv(text: string): string {
  let hash = 2_166_136_261n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 16_777_619n) & 0xffff_ffffn;
  return hash.toString(16).padStart(8, "0");
}

describe("schemas", () => {
  it("pass through as they are", () => {
    const schema = {
      type: "object",
      properties: {
        path: { type: "string", description: "Where.", minLength: 1, maxLength: 10 },
        mode: { enum: ["a", "b", null], default: "a" },
        list: { type: "array", items: { type: ["integer", "null"], minimum: 0 }, minItems: 1 },
        choice: { anyOf: [{ type: "string" }, { type: "object", properties: {}, additionalProperties: false }] },
      },
      required: ["path"],
      additionalProperties: false,
    };
    expect(boundSchema(schema)).toEqual(schema);
    expect(boundSchema(undefined)).toEqual({ type: "object", properties: {} });
    expect(boundSchema({})).toEqual({ type: "object", properties: {} });
  });

  it("are written out, without cycles, and without what could hang a validator", () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: "http://x/y",
      type: "object",
      properties: {
        a: { $ref: "#/$defs/node", description: "A." },
        b: { type: "string", pattern: "^(a+)+$", description: "B." },
        c: { type: "array", uniqueItems: true },
      },
      patternProperties: { "^(x+)+$": {} },
      $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
    };
    const bounded = boundSchema(schema);
    // What is remembered is judged again, and must come out as it was.
    expect(JSON.stringify(boundSchema(bounded))).toBe(JSON.stringify(bounded));
    expect(bounded).toEqual({
      type: "object",
      properties: {
        a: { type: "object", properties: { next: {} }, description: "A." },
        b: { type: "string", description: "B. Must match ^(a+)+$" },
        c: { type: "array", description: "Items are unique." },
      },
    });
  });

  it.each([
    [
      "choices that lost what told them apart",
      { oneOf: [{ pattern: "^a" }, { pattern: "^b" }] },
      { anyOf: [{ description: "Must match ^a" }, { description: "Must match ^b" }] },
    ],
    [
      "choices that did not",
      { oneOf: [{ type: "string" }, { const: 7 }] },
      { oneOf: [{ type: "string" }, { const: 7 }] },
    ],
    ["the opposite of less", { not: { pattern: "^a" } }, {}],
    ["the opposite of the same", { not: { const: 7, $comment: "x" } }, { not: { const: 7 } }],
    ["what is left over by patterns", { patternProperties: { "^x": {} }, additionalProperties: false }, {}],
    ["what is left over by the first items", { prefixItems: [{ type: "string" }], items: false }, {}],
    ["a limit of an older draft", { minimum: 1, exclusiveMinimum: true }, { minimum: 1 }],
    [
      "two sets of properties",
      { $ref: "#/$defs/one", description: "Both.", properties: { c: {} } },
      { allOf: [{ properties: { b: {} } }, { description: "Both.", properties: { c: {} } }] },
    ],
  ])("take no less than the server does: %s", (_what, schema, bounded) => {
    const $defs = { one: { properties: { b: {} } } };
    expect(boundSchema({ properties: { a: schema }, $defs }).properties).toEqual({ a: bounded });
  });

  it.each([
    [{ type: "string" }, "something else than an object"],
    [[], "is no object"],
    [{ properties: [] }, "properties that are none"],
    [{ properties: { a: 7 } }, "no schema"],
    [JSON.parse('{"properties":{"__proto__":{}}}'), "not plain text"],
    [{ properties: { "a\u202eb": {} } }, "not plain text"],
    [{ properties: { a: { $ref: "#/nowhere" } } }, "not there"],
    [{ properties: { a: { enum: [] } } }, "enum of no"],
    [{ anyOf: [] }, "empty anyOf"],
    [
      { properties: Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`p${index}`, {}])) },
      "larger than 2000",
    ],
    [{ properties: { a: { default: Array.from({ length: 3000 }, () => 1) } } }, "too much data"],
    [
      {
        properties: Object.fromEntries(
          Array.from({ length: 100 }, (_, index) => [`p${index}`, { description: "x".repeat(1000) }]),
        ),
      },
      "more than 64000",
    ],
  ])("%# are refused", (schema, reason) => {
    expect(() => boundSchema(schema)).toThrow(reason);
  });
});

it("takes escape sequences, control characters and what turns text out of it", () => {
  expect(plainText("a\u001b[31mred\u001b]0;title\u0007b\r\nc\u0000\u202ed\te")).toBe("aredb\ncd\te");
  expect(plainText("👨‍👩‍👧 ‌ی")).toBe("👨‍👩‍👧 ‌ی");
  expect(plainLine(" a\n\u200bb  c ", 10)).toBe("a b c");
  expect(plainWords("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`);
  expect(plainLine(7, 10)).toBe("");
});

it("makes text of results", async () => {
  const text = (value: string) => ({ type: "text", text: value });
  const tell = async ({ kind, name, type, base64 }: Blob) => `<${kind} ${name} ${type} ${base64}>`;
  const told = (result: unknown) => resultText(result, tell);
  expect(await told({ content: [text("a"), text("b")], structuredContent: { c: 1 } })).toEqual({
    text: 'a\n\nb\n\n{"c":1}',
    isError: false,
  });
  expect((await told({ content: [text('{ "c": 1 }')], structuredContent: { c: 1 } })).text).toBe('{ "c": 1 }');
  expect(await told({ isError: true })).toEqual({ text: "the tool failed and said nothing", isError: true });
  for (const odd of [null, 7, "x", [], { content: "x" }, { content: [null, 7, { type: 9 }, { type: "text" }] }])
    expect(await told(odd)).toMatchObject({ isError: false });
  expect((await told({ content: [text("x".repeat(500_000))] })).text.length).toBeLessThan(200_100);
  const sound = { type: "audio", mimeType: "audio/wav", data: "AAAA" };
  expect((await told({ content: [sound, { type: "image" }] })).text).toBe("<audio  audio/wav AAAA>\n\n<image   >");
  const contents = [
    { uri: "x:/y", text: "t" },
    { uri: "x:/a/z.bin?q=1#2", blob: "AAAA" },
  ];
  expect(await resourceText({ contents }, tell)).toBe(
    "[resource: x:/y]\nt\n\n[resource: x:/a/z.bin?q=1#2]\n<resource z.bin  AAAA>",
  );
  const messages = [{ role: "user", content: [text("hi"), sound] }, { role: "assistant" }];
  expect(await promptText({ description: "D", messages }, tell)).toBe(
    "D\n\nuser: hi\n\n<audio  audio/wav AAAA>\n\nassistant: ",
  );
});

it("cuts lines out of chunks, and tells only the ends of one that is too long", () => {
  const lines = new Lines(1000);
  const all = ["one\ntw", "o\n\n", `${"x".repeat(600)}`, "y".repeat(600), "z".repeat(10_000), "end\nlast\n"].flatMap(
    (chunk) => [...lines.push(Buffer.from(chunk))],
  );
  expect(all.map(({ oversize, text }) => (oversize > 0 ? oversize : text))).toEqual(["one", "two", 11_203, "last"]);
  expect(all[2]?.text).toMatch(/^x{512}\nz{509}end$/);
});

it("counts a flood in windows", () => {
  let now = 0;
  const flood = new Flood(() => now);
  flood.count("messages", 5000);
  expect(() => flood.count("messages", 1)).toThrow("more than 5000 messages nobody asked for within 10 s");
  now = 10_000;
  flood.count("messages", 5000);
  flood.count("junk", 1000);
  expect(() => flood.count("junk", 1)).toThrow("lines that are no messages");
});
