/** Bodies as ClawGo reads them: keys in any case, null for what is absent, and `invalid json` for what has another type. */
import { GatewayError, isObject } from "@chela/sdk";

export type Fields = Readonly<Record<string, unknown>>;

/** Throws 400 `invalid json`. */
export function fieldsOf(body: unknown): Fields {
  if (body === undefined || body === null || body === "") return {};
  if (!isObject(body)) throw invalidJson();
  return body;
}

/** Undefined where it is absent or null. */
export function fieldIn(fields: Fields, name: string): unknown {
  const key = Object.keys(fields).findLast((one) => one.length === name.length && one.toLowerCase() === name);
  return key === undefined ? undefined : (fields[key] ?? undefined);
}

/** Trimmed; empty where it is absent. Throws 400 `invalid json`. */
export function textIn(fields: Fields, name: string): string {
  const value = fieldIn(fields, name) ?? "";
  if (typeof value !== "string") throw invalidJson();
  return value.trim();
}

export function invalidJson(): GatewayError {
  return new GatewayError("BAD_JSON", 400, "invalid json");
}
