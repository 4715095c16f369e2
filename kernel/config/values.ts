/** Plain JSON data: what the config is made of between the file and the plugins. */
import { GatewayError, isObject } from "@chela/sdk";

export type PlainObject = Record<string, unknown>;

/** Nesting beyond this is refused, in the file and in every edit. */
export const maxDepth = 64;

const refusedKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Keys that reach a prototype are refused wherever they stand: in files, edits and paths. */
export function assertKey(key: string, where: () => string): void {
  if (!refusedKeys.has(key)) return;
  const holder = where();
  const place = holder === "" ? "" : ` in ${holder}`;
  throw new GatewayError("CONFIG_KEY", 400, `the key "${key}"${place} is not allowed; choose another name`);
}

/** A copy that is JSON and nothing else; undefined keys are left out. Throws `CONFIG_VALUE` or `CONFIG_KEY`. */
export function plainCopy(value: unknown, where: string, depth = 0): unknown {
  if (depth > maxDepth) throw unfit(where, `is nested deeper than ${maxDepth} levels`);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw unfit(where, "must be a finite number");
  }
  if (Array.isArray(value)) return value.map((item) => plainCopy(item, where, depth + 1));
  if (!isObject(value)) throw unfit(where, `must be JSON, not ${typeof value}`);
  const copy: PlainObject = {};
  for (const [key, item] of Object.entries(value)) {
    assertKey(key, () => where);
    if (item !== undefined) copy[key] = plainCopy(item, where, depth + 1);
  }
  return copy;
}

function unfit(where: string, why: string): GatewayError {
  return new GatewayError("CONFIG_VALUE", 400, `${where} ${why}`);
}

/** Freezes what is not frozen yet, all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}

/** `make`, called once for each object. For what is made of objects that never change. */
export function oncePer<K extends object, V extends object>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
