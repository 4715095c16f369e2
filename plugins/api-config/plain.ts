/** Ways into plain JSON objects. */
import { isObject } from "@chela/sdk";

export type PlainObject = Readonly<Record<string, unknown>>;

/** Own members only: no name reaches a prototype. */
export function member(holder: unknown, key: string): unknown {
  return isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

export function at(root: unknown, ...path: readonly string[]): unknown {
  return path.reduce(member, root);
}
