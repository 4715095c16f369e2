import { Type } from "@chela/sdk";
import { expect, test } from "vitest";
import { GatewaySection } from "../../kernel/config/gateway-schema.ts";
import type { Schema } from "../../kernel/config/schema-walk.ts";
import { resolveText } from "../../kernel/config/snapshot.ts";
import { surelyValid } from "../../kernel/config/surely.ts";
import { sectionValidator } from "../../kernel/validate.ts";
import { sections } from "./fixture.ts";

const schemas: readonly Schema[] = [
  Type.Integer({ minimum: 0, maximum: 3 }),
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 2 }),
  Type.String({ minLength: 1, maxLength: 2 }),
  Type.String({ pattern: "^a" }),
  Type.String({ format: "uri" }),
  Type.Union([Type.Literal("a"), Type.Literal(1), Type.Null()]),
  Type.Array(Type.Integer(), { minItems: 1, maxItems: 2 }),
  Type.Object({ a: Type.Integer(), b: Type.Optional(Type.String()) }),
  Type.Object({ a: Type.Integer() }, { additionalProperties: false }),
  Type.Object({ a: Type.Integer() }, { additionalProperties: Type.String() }),
  Type.Record(Type.String(), Type.Integer()),
  Type.Record(Type.String({ pattern: "^a" }), Type.Boolean()),
  Type.Tuple([Type.Integer(), Type.String()]),
  Type.Intersect([Type.Object({ a: Type.Integer() }), Type.Object({ b: Type.String() })]),
  Type.Unknown(),
  { type: ["string", "null"] },
  { enum: ["a", 1, null, {}] },
  { const: { a: 1 } },
  { not: { type: "string" } },
  { type: "object", properties: { a: { type: "integer" } }, patternProperties: { "^a": { minimum: 2 } } },
  { type: "object", dependentRequired: { a: ["b"] } },
] as unknown as Schema[];

const scalars = [0, 1, 2, 1.5, 7, -1, "", "a", "ab", "abc", "b", "😀😀", "😀😀😀", true, false, null, 1e308];
const values: readonly unknown[] = [
  ...scalars,
  ...scalars.flatMap((each) => [
    [each],
    [each, "a"],
    { a: each },
    { a: 1, b: each },
    { a: each, c: each },
    { b: each },
  ]),
  [],
  [1, 2, 3],
  {},
  { "a\nb": 1 },
];

test("a quick yes is never a no of ajv", async () => {
  const validate = sectionValidator();
  let quick = 0;
  for (const [index, schema] of schemas.entries()) {
    for (const value of values) {
      if (!surelyValid(schema, value)) continue;
      quick += 1;
      const copy = structuredClone(value);
      expect(await validate(String(index), schema, copy), `${JSON.stringify(schema)} ${JSON.stringify(value)}`).toEqual(
        [],
      );
      expect(copy).toEqual(value);
    }
  }
  expect(quick).toBeGreaterThan(200);
});

test("a config that is in order asks no validator, one that is not asks for its section alone", async () => {
  const asked: string[] = [];
  const resolving = {
    sections,
    env: {},
    validate: (owner: string) => {
      asked.push(owner);
      return [];
    },
  };
  const good = {
    gateway: {
      port: 19000,
      bind: "lan",
      auth: { token: "t", trustedProxy: { allowUsers: ["me"] } },
      trustedProxies: [],
    },
    plugins: { entries: { demo: { enabled: true, config: { target: { kind: "http", secretUrl: "u" } } } } },
    models: { providers: { a: { api_base: "http://x", headers: { a: "b" }, accounts: [{ id: "1", token: "t" }] } } },
    logging: { level: "warn" },
    cron: { sleep: { min: 0.5 } },
  };
  await resolveText(JSON.stringify(good), "config.json", resolving);
  expect(asked).toEqual([]);
  await resolveText(JSON.stringify({ ...good, cron: { maxWorkers: 0 } }), "config.json", resolving);
  expect(asked).toEqual(["cron"]);
  expect(surelyValid(GatewaySection as unknown as Schema, { port: 70000 })).toBe(false);
});
