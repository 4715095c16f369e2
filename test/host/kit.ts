/** Small plugins for the tests of the host, and what it says of them. */
import { definePlugin, type Plugin, type PluginDefinition } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";

export type Setup = (ctx: Parameters<Plugin["setup"]>[0]) => void | Promise<void>;
export type More = Partial<Omit<PluginDefinition, "id" | "setup">>;

export function plugin(id: string, setup: (ctx: never) => void | Promise<void>, more: More = {}): Plugin {
  return definePlugin({ id, version: "1.0.0", host: "^1.0.0", ...more, setup } as never);
}

export function row(host: TestHost, id: string): { state: string; reason: string } {
  const { state, reason } = host.plugins.info(id);
  return { state, reason };
}

export const calm = plugin("calm", ((ctx) => {
  ctx.route({ method: "GET", path: "/calm", access: "read", handler: () => ({ ok: true }) });
}) as Setup);
