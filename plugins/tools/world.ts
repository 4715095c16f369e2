/** What the parts of this plugin share: its services and its Context. */
import {
  agent,
  type Context,
  children,
  cron,
  events,
  files,
  GatewayError,
  gateway,
  need,
  sessions,
  store,
  tools,
  workspace,
} from "@chela/sdk";
import type { ToolsSettings } from "./settings.ts";

export const needs = {
  files: need(files, "^1.0.0"),
  children: need(children, "^1.0.0"),
  events: need(events, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  tools: need(tools, "^1.0.0"),
  workspace: need(workspace, "^1.0.0", { optional: true }),
  store: need(store, "^1.0.0", { optional: true }),
  sessions: need(sessions, "^1.0.0", { optional: true }),
  agent: need(agent, "^1.0.0", { optional: true }),
  cron: need(cron, "^1.0.0", { optional: true }),
};

export type Ctx = Context<ToolsSettings, typeof needs>;

type Uses = Ctx["use"];

/** A service without which there is no such tool. It may go while a call waits for a person. */
export function present<K extends keyof Uses>({ use }: Ctx, key: K): NonNullable<Uses[K]> {
  const service = use[key];
  if (service) return service;
  throw new GatewayError("SERVICE_ABSENT", 503, `the plugin that provides "${key}" is not running any more`);
}
