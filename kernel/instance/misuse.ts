/** The errors for plugin authors: thrown at the call that breaks a rule of the Context, naming the plugin and the rule. */
import { type Access, GatewayError, messageOf } from "@chela/sdk";
import type { Instance } from "./instance.ts";

const accesses: ReadonlySet<string> = new Set<Access>(["public", "read", "write", "admin"]);

export function needsAccess(instance: Instance, what: string, access: unknown): void {
  if (typeof access === "string" && accesses.has(access)) return;
  throw misuse(instance, `registers the ${what} without \`access\`; say public, read, write or admin`);
}

export function needsPath(instance: Instance, what: string, path: unknown): void {
  if (typeof path === "string" && /^\/[^?#\s]*$/.test(path)) return;
  throw misuse(instance, `registers a ${what} at "${String(path)}"; a path starts with / and has no query`);
}

export function needsName(instance: Instance, what: string, name: unknown): void {
  if (typeof name === "string" && /^[\w.:/-]{1,128}$/.test(name)) return;
  throw misuse(instance, `registers a ${what} named "${String(name)}"; use 1-128 letters, digits and _ . : / -`);
}

export function needsFunction(instance: Instance, what: string, value: unknown): void {
  if (typeof value === "function") return;
  throw misuse(
    instance,
    `gives ${what} ${value === undefined ? "nothing" : `a ${typeof value}`} where a function belongs`,
  );
}

/** What others will read as JSON: copied now, so that nobody meets something that cannot be told, or that changes later. */
export function plainCopy<T>(instance: Instance, what: string, value: T): T {
  return JSON.parse(asJson(instance, what, value)) as T;
}

/** `undefined` has no JSON either. */
export function asJson(instance: Instance, what: string, value: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`"undefined" is not valid JSON`);
    return text;
  } catch (error) {
    throw misuse(instance, `${what} with what is no JSON: ${messageOf(error)}`);
  }
}

export function misuse(instance: Instance, what: string): GatewayError {
  return new GatewayError("PLUGIN_MISUSE", 500, `plugin "${instance.id}" ${what}`);
}
