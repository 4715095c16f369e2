/** Whose fault is an error that nobody caught: the plugin whose file stands highest in its stack. */
import type { Instance } from "./instance.ts";

/** The plugin's id, or undefined when the stack names none. */
export function blame(error: unknown, instances: Iterable<Instance>): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  let found: { readonly id: string; readonly at: number } | undefined;
  for (const { id, manifest } of instances) {
    const place = manifest.origin === "builtin" ? manifest.entry : manifest.root;
    const at = place === "" ? -1 : stack.indexOf(place);
    if (at >= 0 && (found === undefined || at < found.at)) found = { id, at };
  }
  return found?.id;
}
