/** The build's own builders of schemas give what typebox gives: with both, a plugin says the same of itself. */
import { Type as whole } from "typebox";
import { expect, it } from "vitest";

type Types = typeof whole;
const file = new URL("../kernel/build/builders.mjs", import.meta.url).href;
const { Type: ours } = (await import(file)) as { Type: Types };
const text = { default: "x", description: "Of one line", minLength: 1, secret: true };

const cases: Readonly<Record<string, (Type: Types) => unknown>> = {
  "plain values": (Type) => [
    Type.Boolean(),
    Type.Integer({ minimum: 1 }),
    Type.Null(),
    Type.Number({ default: 0.5 }),
    Type.String(text),
    Type.Unknown({ description: "Anything" }),
  ],
  literals: (Type) => [Type.Literal("a"), Type.Literal(1, { description: "One" }), Type.Literal(true)],
  "an object": (Type) =>
    Type.Object({ b: Type.String(), a: Type.Optional(Type.Integer()) }, { additionalProperties: false }),
  "an object without anything that must be given": (Type) => Type.Object({ a: Type.Optional(Type.Integer()) }),
  "an empty object": (Type) => Type.Object({}, { default: {} }),
  "a schema that was made optional and spread": (Type) =>
    Type.Object({ a: { ...Type.Optional(Type.String()), default: "" } } as never),
  "an optional schema that is used twice": (Type) => {
    const a = Type.String();
    return Type.Object({ a: Type.Optional(a), b: a });
  },
  "what is optional, inside": (Type) => Type.Optional(Type.Object({ a: Type.Optional(Type.Array(Type.String())) })),
  lists: (Type) => Type.Array(Type.Object({ a: Type.Unknown() }), { maxItems: 3 }),
  unions: (Type) => Type.Union([Type.Literal("a"), Type.Null()], { default: "a" }),
  "several at once": (Type) => Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.Number() })]),
  records: (Type) => Type.Record(Type.String(), Type.Object({ a: Type.String() }), { default: {} }),
  "by hand": (Type) => Type.Object({ a: Type.Unsafe<string>({ type: "string", format: "x" }) }),
};

it.each(Object.entries(cases))("%s", (_, make) => {
  expect(JSON.stringify(make(ours))).toBe(JSON.stringify(make(whole)));
});

it("has no builder that was not compared", () => {
  const compared = Object.values(cases).map(String).join("\n");
  expect(Object.keys(ours).filter((name) => !new RegExp(`\\.${name}(<\\w+>)?\\(`).test(compared))).toEqual([]);
});
