/** What a client is told about a value that does not fit: what it meant, or what is allowed, and nothing twice. */
import { Type } from "@chela/sdk";
import { expect, test } from "vitest";
import { Validators } from "../../kernel/validate.ts";

const Body = Type.Object({
  stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  model: Type.Optional(Type.Union([Type.String({ maxLength: 5 }), Type.Null()])),
  level: Type.Optional(Type.Union([Type.Literal("low"), Type.Literal("high")])),
  item: Type.Optional(
    Type.Union([Type.Object({ id: Type.String() }), Type.Object({ name: Type.String() }), Type.Number()]),
  ),
});

async function told(value: unknown): Promise<string> {
  const check = async () => new Validators().check(Body, value, "body");
  const error = await check().then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  return error?.message ?? "";
}

test.each([
  [{ stream: "yes" }, "body: stream must be boolean or null"],
  [{ model: 7 }, "body: model must be string or null"],
  [{ model: "too long" }, "body: model must NOT have more than 5 characters"],
  [{ level: "middle" }, "body: level must be one of low, high"],
])("%j: %s", async (value, message) => {
  expect(await told(value)).toBe(message);
});

test("a union of several things that might have been meant tells all of it", async () => {
  expect(await told({ item: {} })).toMatch(/item\.id must be given; item\.name must be given/);
});

test("what fits is told nothing", async () => {
  expect(await told({ stream: null, model: "a", level: "low", item: 5 })).toBe("");
});
