/** The services that this plugin uses, and the Context as its parts see it. */
import { type Context, children, config, events, files, gateway, need, skills, tools, workspace } from "@chela/sdk";
import type { McpSettings } from "./settings.ts";

export const needs = {
  children: need(children, "^1.0.0"),
  config: need(config, "^1.0.0"),
  events: need(events, "^1.0.0"),
  files: need(files, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  skills: need(skills, "^1.0.0", { optional: true }),
  tools: need(tools, "^1.0.0"),
  workspace: need(workspace, "^1.0.0", { optional: true }),
};

export type Ctx = Context<McpSettings, typeof needs>;
