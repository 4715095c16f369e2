/** The only place where the code of a plugin from outside is imported into this process. */
import { GatewayError, isObject, messageOf, type Plugin } from "@chela/sdk";
import { assertSame } from "./entry.ts";
import { manifestOf } from "./manifest.ts";

const timeoutMs = 10_000;

/** Imports `url` and returns its default export, which must be the plugin that `expected` names. */
export async function importPlugin(
  expected: { readonly id: string; readonly version: string },
  url: string,
): Promise<Plugin> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it does not end within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    const module = (await Promise.race([import(/* @vite-ignore */ url), late])) as { default?: unknown };
    if (!isObject(module.default))
      throw new Error("it has no default export; write: export default definePlugin({ … })");
    const plugin = module.default as unknown as Plugin;
    assertSame(expected, manifestOf(plugin));
    return plugin;
  } catch (error) {
    if (GatewayError.is(error)) throw error;
    const why = messageOf(error);
    throw new GatewayError(
      "PLUGIN_IMPORT",
      422,
      `Plugin "${expected.id}" cannot be imported: ${why}`,
      { plugin: expected.id },
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}
