/** `definePlugin`: the manifest is data and readable without running the plugin; `setup` is the only code the host calls. */
import type { Static, TSchema } from "typebox";
import type { Context } from "./context.ts";
import type { Needs, Service } from "./service.ts";

/** A plugin: its manifest, and the one function that the host calls. */
export interface PluginDefinition<C extends TSchema = TSchema, N extends Needs = Needs> {
  /** Lower kebab case; also the folder name and the name in the config. */
  readonly id: string;
  readonly version: string;
  /** Semver range of hosts it runs on: `^1.0.0`. Checked before the code is imported. */
  readonly host: string;
  /** One sentence for lists. */
  readonly about?: string;
  /** What it guards answers 503 while it is down, instead of passing. */
  readonly critical?: boolean;
  /** Dotted path of its section in `config.json`. Default `plugins.entries.<id>.config`. */
  readonly section?: string;
  /** Schema of the section. Keys marked `{ secret: true }` are redacted at every exit. */
  readonly config?: C;
  /** Keys that apply live; any other change restarts this plugin only. `"*"` means all. */
  readonly hot?: readonly string[];
  readonly needs?: N;
  readonly provides?: readonly Service<unknown>[];
  /** Enabled without being named in the config. Default true for built-ins and for what the operator installs. */
  readonly enabledByDefault?: boolean;
  /** Prepares and registers. May run while the previous instance still serves; has 5 s. */
  setup(ctx: Context<Static<C>, N>): void | Promise<void>;
}

/** A plugin as the host holds it: the types of its own config and needs are erased. */
export interface Plugin extends Omit<PluginDefinition, "setup"> {
  setup(ctx: Context<never, never>): void | Promise<void>;
}

/** The default export of every plugin's `index.ts`. Does nothing but carry types. */
export function definePlugin<C extends TSchema, N extends Needs = Record<never, never>>(
  definition: PluginDefinition<C, N>,
): Plugin {
  return definition as unknown as Plugin;
}
