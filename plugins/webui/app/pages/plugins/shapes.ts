/** What the gateway tells of plugins. */
import type { PluginRow, PluginState } from "@chela/sdk/panel";
import type { Schema } from "../../parts/schema-form/schema.ts";

export type { PluginRow, PluginState } from "@chela/sdk/panel";

export interface PluginNeed {
  readonly service: string;
  readonly range: string;
  readonly optional: boolean;
  readonly provider: string | null;
  readonly offered: { readonly id: string; readonly version: string } | null;
  readonly missing: boolean;
}

interface Guarded {
  readonly access: string;
}

export interface Contributions {
  readonly routes: readonly (Guarded & { readonly method: string; readonly path: string })[];
  readonly streams: readonly (Guarded & { readonly path: string })[];
  readonly methods: readonly (Guarded & { readonly name: string })[];
  readonly tools: readonly (Guarded & { readonly name: string; readonly risk: string })[];
  readonly commands: readonly (Guarded & { readonly name: string })[];
  readonly panels: readonly (Guarded & { readonly id: string; readonly title: string })[];
  readonly statics: readonly (Guarded & { readonly path: string })[];
  readonly health: readonly string[];
}

export interface PluginInfo extends PluginRow {
  readonly root: string;
  readonly host: string;
  readonly section: string;
  readonly value?: unknown;
  readonly hot: readonly string[];
  readonly needs: readonly PluginNeed[];
  readonly provides: readonly { readonly id: string; readonly version: string }[];
  readonly usedBy: readonly { readonly id: string; readonly service: string; readonly optional: boolean }[];
  readonly contributions: Contributions;
  readonly startup: { readonly ms: number; readonly rssDelta: number } | null;
  readonly hooks: readonly {
    readonly hook: string;
    readonly calls: number;
    readonly errors: number;
    readonly ms: number;
  }[];
  readonly faults: number;
  readonly lastFault: { readonly at: number; readonly where: string; readonly message: string } | null;
  readonly schema: Schema;
}

export interface Outdated {
  readonly id: string;
  readonly installed: string;
  readonly latest: string | null;
  readonly source: string;
  readonly error?: string;
}

/** Something of it changed when one of these is told. */
export const pluginEvents = ["plugin_state", "generation", "config_changed"] as const;

/** It should run, and does not. */
export function isInTrouble({ state }: PluginRow): boolean {
  return ["waiting", "failed", "quarantined", "incompatible"].includes(state);
}

/** Which badge suits a state. */
export function toneOf(state: PluginState): string {
  if (state === "running") return "ok";
  if (state === "disabled") return "";
  return state === "failed" || state === "quarantined" || state === "incompatible" ? "bad" : "warn";
}
