/** What the gateway tells of plugins. */
import type { PluginRow, PluginState, PluginInfo as Whole } from "@chela/sdk/panel";
import type { Schema } from "../../parts/schema-form/schema.ts";

export type { Outdated, PluginRow, PluginState } from "@chela/sdk/panel";

/** With the schema as the form reads it. */
export interface PluginInfo extends Omit<Whole, "schema"> {
  readonly schema: Schema;
}

export type PluginNeed = PluginInfo["needs"][number];

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
