/**
 * What a wire has no word for, and what would be missing from the reply if it were left out in silence. Hints such as `seed`
 * are left out.
 */
import { GatewayError, type ModelRequest, objectOf } from "@chela/sdk";

const formats: readonly unknown[] = ["text", "json_object", "json_schema"];

const isAsked = {
  logit_bias: (value: unknown) => Object.keys(objectOf(value)).length > 0,
  stop: (value: unknown) => (Array.isArray(value) ? value.length > 0 : typeof value === "string" && value !== ""),
  response_format: (value: unknown) => (value ?? null) !== null && !formats.includes(objectOf(value).type),
} as const;

/** Throws 400 with the name of the field. `id`: `provider/model`. */
export function expectServed(
  { extra = {} }: ModelRequest,
  id: string,
  fields: readonly (keyof typeof isAsked)[],
): void {
  const param = fields.find((name) => isAsked[name](extra[name]));
  if (param === undefined) return;
  throw new GatewayError(
    "UNSUPPORTED",
    400,
    `${id}: its API has no such ${param}, and without it the reply would differ.`,
    {
      param,
    },
  );
}
