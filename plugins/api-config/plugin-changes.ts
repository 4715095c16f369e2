/** Changes of plugins, for the route and the methods alike. */
import { GatewayError, type Identity } from "@chela/sdk";
import type { Ctx } from "./needs.ts";

export type PluginAction = "enable" | "disable" | "reload" | "release" | "install" | "update" | "uninstall";

export interface PluginChange {
  readonly action: PluginAction;
  readonly id?: string;
  readonly source?: string;
}

export function switchPlugin(ctx: Ctx, { action, id, source }: PluginChange, identity: Identity): Promise<object> {
  const { plugins } = ctx.use;
  ctx.log.info({ target: id, source, by: identity.id }, `plugin ${action}`);
  if (action === "install") return plugins.install(required(source, "source"));
  const target = required(id, "id");
  return action === "enable" || action === "disable" ? plugins[action](target, "api") : plugins[action](target);
}

function required(value: string | undefined, key: string): string {
  if (value !== undefined) return value;
  throw new GatewayError("INVALID", 400, `body: ${key} must be given`);
}
