/** The errors for plugin authors: thrown at the call that breaks a rule of the Context, naming the plugin and the rule. */
import { type Access, GatewayError } from "@chela/sdk";
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

export function misuse(instance: Instance, what: string): GatewayError {
  return new GatewayError("PLUGIN_MISUSE", 500, `plugin "${instance.id}" ${what}`);
}
