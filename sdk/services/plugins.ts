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
  /** What the config says, or the plugin itself where it says nothing; whether it runs is `state`. */
  readonly enabled: boolean;
  /** Installed, so that it may be uninstalled. */
  readonly removable: boolean;
}

/** Everything about one plugin. */
export interface PluginInfo extends PluginRow {
  readonly root: string;
  readonly host: string;
  readonly enabledByDefault: boolean;
  /** Dotted path of its settings in the config. */
  readonly section: string;
  /** What is in effect there, secrets redacted; absent where there is nothing. */
  readonly value?: unknown;
  readonly hot: readonly string[];
  readonly needs: readonly {
    readonly service: string;
    readonly range: string;
    readonly optional: boolean;
    /** Whose service it uses; null while it does not run. */
    readonly provider: string | null;
    /** Who offers the service now, in whatever version; null: nobody that runs. */
    readonly offered: { readonly id: string; readonly version: string } | null;
    /** No version that fits is offered. */
    readonly missing: boolean;
  }[];
  readonly provides: readonly { readonly id: string; readonly version: string }[];
  /** Who uses a service of it now. */
  readonly usedBy: readonly { readonly id: string; readonly service: string; readonly optional: boolean }[];
  /** What it registered, with `access`, so that security tests can enumerate everything. */
  readonly contributions: {
    readonly routes: readonly { readonly method: string; readonly path: string; readonly access: string }[];
    readonly streams: readonly { readonly path: string; readonly access: string }[];
    readonly methods: readonly { readonly name: string; readonly access: string }[];
    readonly tools: readonly { readonly name: string; readonly access: string; readonly risk: string }[];
    readonly commands: readonly { readonly name: string; readonly access: string }[];
    readonly panels: readonly { readonly id: string; readonly title: string; readonly access: string }[];
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
  /** The last one since it was released or the gateway started. */
  readonly lastFault: { readonly at: number; readonly where: string; readonly message: string } | null;
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

/** What a registry has for a plugin that was installed by its npm name. */
export interface Outdated {
  readonly id: string;
  readonly installed: string;
  /** What an update would install; null when the registry did not say. */
  readonly latest: string | null;
  /** As it was installed: `@me/weather@^1.0.0`. */
  readonly source: string;
  readonly error?: string;
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
  /** The tarball at `path`, which may be gone afterwards; `name` is what it was called where it came from. */
  installFile(path: string, name: string): Promise<Installed & { readonly result: ChangeResult }>;
  /** Installs again from where it came: of an npm name the newest inside the range it was installed with. */
  update(id: string): Promise<Installed & { readonly result: ChangeResult }>;
  /** Asks the registry about each plugin that was installed by its npm name; a failure is a row with an error. */
  outdated(): Promise<readonly Outdated[]>;
  uninstall(id: string): Promise<ChangeResult>;
  /** Reads the installed folder again after another process (the CLI) changed it. */
  refresh(): Promise<ChangeResult>;
}

/** Name it in `needs`. */
export const plugins = defineService<Plugins>("plugins", "1.0.0");
