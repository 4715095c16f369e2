/** What the parts of this plugin share: its services and its Context. */
import {
  agent,
  type Context,
  children,
  cron,
  files,
  gateway,
  need,
  sessions,
  store,
  tools,
  type Workspace,
  workspace,
} from "@chela/sdk";
import type { ToolsSettings } from "./settings.ts";

export const needs = {
  files: need(files, "^1.0.0"),
  children: need(children, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  tools: need(tools, "^1.0.0"),
  workspace: need(workspace, "^1.0.0", { optional: true }),
  store: need(store, "^1.0.0", { optional: true }),
  sessions: need(sessions, "^1.0.0", { optional: true }),
  agent: need(agent, "^1.0.0", { optional: true }),
  cron: need(cron, "^1.0.0", { optional: true }),
};

export type Ctx = Context<ToolsSettings, typeof needs>;

/** For tools that exist only where there is a workspace. */
export type WorkCtx = Ctx & { readonly use: { readonly workspace: Workspace } };

export function hasWorkspace(ctx: Ctx): ctx is WorkCtx {
  return ctx.use.workspace !== undefined;
}
