/** Whose fault is an error that nobody caught: the plugin whose file stands highest in its stack. */
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Instance } from "./instance.ts";

/** The plugin's id, or undefined when the stack names none. */
export function blame(error: unknown, instances: Iterable<Instance>): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  let found: { readonly id: string; readonly at: number } | undefined;
  for (const { id, manifest } of instances) {
    const { origin, entry, root } = manifest;
    const places = origin === "builtin" ? [entry] : [root, entry];
    for (const spelling of places.flatMap(spellings)) {
      const at = stack.indexOf(spelling);
      if (at >= 0 && (found === undefined || at < found.at)) found = { id, at };
    }
  }
  return found?.id;
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
