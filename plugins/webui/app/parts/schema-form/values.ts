/** Values of a config as the form changes them: never in place, and told as edits of the keys that differ. */

/** Stands where a secret stands; sent back it means "keep". */
export const mark = "__CHELA_REDACTED__";

export type Keys = readonly string[];

/** Without a value: the key goes, and its default applies. */
export interface Edit {
  readonly path: string;
  readonly value?: unknown;
}

export interface KeyEdit {
  readonly keys: Keys;
  readonly value: unknown;
}

/** The gateway puts a variable of the environment there: what the value is then, nobody here knows. */
export function isReference(value: unknown): value is string {
  return typeof value === "string" && /\$\{[A-Z_][A-Z0-9_]*\}/.test(value);
}

export type PlainObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined where nothing is; own members only. */
export function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as PlainObject)[key]
    : undefined;
}

export function at(value: unknown, keys: Keys): unknown {
  return keys.reduce(own, value);
}

/** A copy in which `key` is `value`; undefined takes it away. */
export function withMember(object: PlainObject, key: string, value: unknown): PlainObject {
  const rest = Object.entries(object).filter(([name]) => name !== key || value !== undefined);
  const entries = rest.map(([name, old]) => [name, name === key ? value : old] as const);
  return Object.fromEntries(Object.hasOwn(object, key) || value === undefined ? entries : [...entries, [key, value]]);
}

export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(own(a, key), own(b, key)))
  );
}

/** What leads from one value to the other: key by key through objects, a list as a whole. */
export function editsBetween(before: unknown, after: unknown, keys: Keys = []): KeyEdit[] {
  if (isSame(before, after)) return [];
  const isNew = before === undefined && isObject(after) && Object.keys(after).length > 0;
  if (!(isObject(before) || isNew) || !isObject(after)) return [{ keys, value: after }];
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])];
  return names.flatMap((name) => editsBetween(own(before, name), own(after, name), [...keys, name]));
}

/** The value with edits made; what they lead through is made on the way. */
export function edited(value: unknown, edits: readonly KeyEdit[]): unknown {
  return edits.reduce((result, { keys, value: wanted }) => set(result, keys, wanted), value);
}

function set(value: unknown, [key, ...rest]: Keys, wanted: unknown): unknown {
  if (key === undefined) return wanted;
  if (value === undefined && wanted === undefined) return undefined;
  const object = isObject(value) ? value : {};
  return withMember(object, key, set(own(object, key), rest, wanted));
}

/** `["a", "x.y"]` is `a["x.y"]`, as the gateway reads it. */
export function configPath(keys: Keys): string {
  return keys.reduce((text, key, index) => {
    const isPlain = key !== "" && !/[.[\]]/.test(key) && !(key === "enable" && index === keys.length - 1);
    if (!isPlain) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** True when a stored secret stands anywhere in it. */
export function hasMark(value: unknown): boolean {
  if (value === mark) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasMark);
}

/** What tells an item of a list from the others: the gateway finds the stored secrets of an item by it. */
export function labelOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  const others = Object.keys(item).filter((key) => /(?:_id|Id)$/.test(key));
  const labels = ["id", "name", ...others.sort()].map((key) => own(item, key));
  return labels.find((label): label is string => typeof label === "string" && label !== "" && label !== mark);
}
