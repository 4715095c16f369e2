/** Where models may be found when none is configured: keys in the environment, and servers on this machine. */
import { type Preset, presets } from "../presets.ts";

export interface Vendor {
  /** Environment variable that holds the key. */
  readonly key: string;
  readonly name: string;
  readonly base: string;
  /** Environment variable that overrides `base`. */
  readonly baseKey?: string;
  /** The first is the default; the upstream decides about all others. */
  readonly models: readonly string[];
}

/** Names under which a vendor has been found since before it had a preset: models are called by them. */
const foundAs: Readonly<Record<string, string>> = { kimi: "moonshot", qwen: "dashscope", claude: "anthropic" };

/** In order of preference: the first key that is set is the primary provider. */
export const vendors: readonly Vendor[] = preferred().flatMap(({ name, base, env, models }) => {
  if (!env || base === undefined) return [];
  const baseKey = env.base === undefined ? {} : { baseKey: env.base };
  return [{ key: env.key, name: foundAs[name] ?? name, base, models, ...baseKey }];
});

/** Names of the servers that usually listen there; of two the first. */
export const localServers: ReadonlyMap<number, string> = new Map(
  presets.toReversed().flatMap(({ port, name }) => (port === undefined ? [] : [[port, name]])),
);

/** OpenAI's key first, then those of the vendors with a wire of their own, then all others. */
function preferred(): readonly Preset[] {
  return [...presets].sort((a, b) => Number(b.name === "openai") - Number(a.name === "openai"));
}
