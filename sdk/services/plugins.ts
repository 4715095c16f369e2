/** The plugin manager (provided by the host). Every change goes through the same serial queue as config changes. */

import { defineService } from "../service.ts";
import type { ChangeResult } from "./config.ts";

/** What a plugin is doing. `waiting`: for a service it needs; `quarantined`: off after faults, until released. */
export type PluginState =
  | "disabled"
  | "waiting"
  | "starting"
  | "running"
  | "failed"
  | "quarantined"
  | "incompatible"
  | "stopping";

/** One plugin in a list. */
export interface PluginRow {
  readonly id: string;
  readonly version: string;
  readonly state: PluginState;
  /** Empty while running; else why not, and what to do. */
  readonly reason: string;
  readonly origin: "builtin" | "installed" | "path";
  readonly about: string;
  readonly critical: boolean;
}

/** Everything about one plugin. */
export interface PluginInfo extends PluginRow {
  readonly root: string;
  readonly host: string;
  readonly section: string;
  readonly hot: readonly string[];
  readonly needs: readonly {
    readonly service: string;
    readonly range: string;
    readonly optional: boolean;
    readonly provider: string | null;
  }[];
  readonly provides: readonly { readonly id: string; readonly version: string }[];
  /** What it registered, with `access`, so that security tests can enumerate everything. */
  readonly contributions: {
    readonly routes: readonly { readonly method: string; readonly path: string; readonly access: string }[];
    readonly streams: readonly { readonly path: string; readonly access: string }[];
    readonly methods: readonly { readonly name: string; readonly access: string }[];
    readonly tools: readonly { readonly name: string; readonly access: string; readonly risk: string }[];
    readonly commands: readonly { readonly name: string; readonly access: string }[];
    readonly panels: readonly { readonly id: string; readonly access: string }[];
    readonly statics: readonly { readonly path: string; readonly access: string }[];
    readonly hooks: readonly string[];
    readonly health: readonly string[];
  };
  readonly startup: { readonly ms: number; readonly rssDelta: number } | null;
  readonly hooks: readonly {
    readonly hook: string;
    readonly calls: number;
    readonly errors: number;
    readonly ms: number;
  }[];
  readonly faults: number;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** What an installation did. */
export interface Installed {
  readonly id: string;
  readonly version: string;
  /** The version that was there before, or null. */
  readonly previous: string | null;
  readonly integrity: string;
  readonly changed: boolean;
}

/** Lists, switches, installs and removes plugins. `who` is for the journal. */
export interface Plugins {
  list(): readonly PluginRow[];
  /** Throws `PLUGIN_UNKNOWN` (404) with the nearest name. */
  info(id: string): PluginInfo;
  enable(id: string, who: string): Promise<ChangeResult>;
  disable(id: string, who: string): Promise<ChangeResult>;
  /** Sets the instance up anew; installed plugins are read from disk again. */
  reload(id: string): Promise<ChangeResult>;
  /** Lets a quarantined plugin try again. */
  release(id: string): Promise<ChangeResult>;
  /** Folder, tarball or `name[@range]`. */
  install(source: string): Promise<Installed & { readonly result: ChangeResult }>;
  uninstall(id: string): Promise<ChangeResult>;
  /** Reads the installed folder again after another process (the CLI) changed it. */
  refresh(): Promise<ChangeResult>;
}

/** Name it in `needs`. */
export const plugins = defineService<Plugins>("plugins", "1.0.0");
