/**
 * Whose fault is an error that nobody caught: the plugin whose file stands highest in its stack, else the one in whose
 * code it came up. One that was stopped counts as well: it may have left a timer or a socket behind.
 */
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Manifest } from "../instance/instance.ts";
import { whoRuns } from "../instance/running.ts";
import type { Scope } from "../instance/scope.ts";

/** The plugin's id, or undefined when it was nobody's. `scopes`: those of the host that asks. */
export function blame(error: unknown, manifests: Iterable<Manifest>, scopes: WeakSet<Scope>): string | undefined {
  const named = ownerOfStack(stackOf(error), manifests);
  if (named !== undefined) return named;
  const running = whoRuns() as Scope | undefined;
  return running && scopes.has(running) ? running.owner : undefined;
}

function ownerOfStack(stack: string, manifests: Iterable<Manifest>): string | undefined {
  let found: { readonly id: string; readonly at: number } | undefined;
  for (const { id, origin, entry, root } of manifests) {
    const places = origin === "builtin" ? [entry] : [root, entry];
    for (const spelling of places.flatMap(spellings)) {
      const at = stack.indexOf(spelling);
      if (at >= 0 && (found === undefined || at < found.at)) found = { id, at };
    }
  }
  return found?.id;
}

/** Plugins throw errors without a stack, with one that is no text, and with one that throws. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? "") : "";
  } catch {
    return "";
  }
}

/** A stack names modules by URL, where a space is `%20`, and by their real path, whatever link led there. */
function spellings(place: string): string[] {
  if (place === "") return [];
  const paths = [place];
  try {
    paths.push(realpathSync(place));
  } catch {
    // Removed meanwhile: its name has to do.
  }
  return paths.flatMap((path) => [path, pathToFileURL(path).pathname]);
}
