/**
 * The way back of a redacted value: where the mark comes in, what is stored stays. A mark that has nothing behind it, or
 * that could mean either of two things, is refused; the mark itself is never stored.
 */
import { type ConfigProblem, GatewayError, isObject, redactedMark } from "@chela/sdk";
import type { PlainObject } from "./values.ts";

/** What the mark may stand for. */
export interface Kept {
  /** Dotted, for the sentence. */
  readonly path: string;
  /** The file's own value at this path, references unresolved. */
  readonly stored: unknown;
  /** The value in effect: present without `stored` when a default or the environment decides it. */
  readonly live: unknown;
}

/** Hears of a mark that cannot be replaced, and may go on: the mark stays then. */
export type Refuse = (problem: ConfigProblem) => void;

/** The value with every mark replaced; undefined when there is nothing to write, because the file does not name it. */
export function keepRedacted(value: unknown, kept: Kept, refuse: Refuse = refused): unknown {
  if (typeof value === "string") return keepText(value, kept, refuse);
  if (Array.isArray(value)) return keepItems(value, kept, refuse);
  if (!isObject(value)) return value;
  const copy: PlainObject = {};
  for (const [key, item] of Object.entries(value)) {
    const path = pathBelow(kept.path, key);
    const below = { path, stored: memberOf(kept.stored, key), live: memberOf(kept.live, key) };
    const inner = keepRedacted(item, below, refuse);
    if (inner !== undefined) copy[key] = inner;
  }
  return copy;
}

/** True when the mark stands anywhere in the value. */
function hasMark(value: unknown): boolean {
  if (typeof value === "string") return value.includes(redactedMark);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasMark);
}

function keepText(text: string, { path, stored, live }: Kept, refuse: Refuse): unknown {
  if (!text.includes(redactedMark)) return text;
  if (text !== redactedMark) refuse(error(path, `must not contain ${redactedMark}; give the whole value`));
  else if (typeof stored === "string" || typeof stored === "number") return stored;
  else if (stored === undefined && (typeof live === "string" || typeof live === "number")) return undefined;
  else refuse(error(path, "must be given: nothing is stored here that could be kept"));
  return text;
}

/** Items with an `id` or `name` are found by it, the others by their place, which must then be unmistakable. */
function keepItems(items: readonly unknown[], kept: Kept, refuse: Refuse): unknown[] {
  const stored = Array.isArray(kept.stored) ? kept.stored : [];
  return items.map((item, index) => {
    if (!hasMark(item)) return item;
    const path = pathBelow(kept.path, String(index));
    const label = labelKey(item);
    if (label === undefined && items.length < stored.length) {
      refuse(error(path, "must be given: the list got shorter, so it is not clear which secret to keep"));
      return item;
    }
    const match =
      label === undefined ? stored[index] : stored.find((other) => memberOf(other, label) === memberOf(item, label));
    return keepRedacted(item, { path, stored: match, live: undefined }, refuse);
  });
}

/** The key that says which item it is: `id`, `name`, or one like `bot_id`. */
function labelKey(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  const others = Object.keys(item).filter((key) => /(?:_id|Id)$/.test(key));
  const keys = ["id", "name", ...others.sort()];
  return keys.find((key) => {
    const label = memberOf(item, key);
    return typeof label === "string" && label !== "" && !label.includes(redactedMark);
  });
}

function pathBelow(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function memberOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function error(path: string, message: string): ConfigProblem {
  return { path, message, level: "error" };
}

function refused({ path, message }: ConfigProblem): never {
  throw new GatewayError("CONFIG_REDACTED", 400, `invalid config: ${path} ${message}`, {
    errors: [`${path} ${message}`],
  });
}
