/**
 * mcp: the tools, resources and prompts of MCP servers for the agent, and the gateway's own tools for MCP clients at /mcp.
 * Nothing of either is loaded before it is switched on or asked for.
 */
import { definePlugin, type McpServer, mcp } from "@chela/sdk";
import { lazyFleet } from "./lazy-fleet.ts";
import { registerMethods } from "./methods.ts";
import { needs } from "./needs.ts";
import { registerRoutes } from "./routes.ts";
import { McpSection, type McpSettings } from "./settings.ts";

export default definePlugin({
  id: "mcp",
  version: "1.0.0",
  host: "^1.0.0",
  about: "MCP servers as tools of the agent, and the gateway's tools for MCP clients",
  section: "tools.mcp",
  config: McpSection,
  hot: ["*"],
  needs,
  provides: [mcp],
  async setup(ctx) {
    const fleet = lazyFleet(ctx);
    ctx.provide(mcp, {
      checks: async () => (await import("./client/checks.ts")).serverChecks(ctx),
      servers: () => fleet.opened()?.rows() ?? [],
      restart: async (name) => (await fleet.open()).restart(name),
    });
    ctx.on("config:validate", async (config, add) => {
      const section = (config.tools as { mcp?: McpSettings } | undefined)?.mcp;
      if (!section?.enabled) return;
      const [{ problemsOf }, { workspaceRoot }] = await Promise.all([
        import("./validate.ts"),
        import("./client/place.ts"),
      ]);
      for (const problem of problemsOf(section, workspaceRoot(ctx))) add({ ...problem, level: "error" });
    });
    registerMethods(ctx, fleet);
    registerRoutes(ctx, fleet);
    ctx.panel({ id: "mcp", title: "MCP", icon: "plug", module: "webui:mcp", access: "read", order: 40 });
    ctx.health("servers", () => health(fleet.opened()?.rows() ?? []));
    if (ctx.config.enabled) for (const tool of (await fleet.open()).tools()) ctx.tool(tool);
    ctx.start(() => fleet.opened()?.begin());
    ctx.onConfig(async (now) => {
      if (now.enabled || fleet.opened()) await (await fleet.open()).reconcile(now);
    });
  },
});

/** A server that is started again is told; one that was given up is an illness. */
function health(rows: readonly McpServer[]) {
  const servers = rows.map(({ name, state, reason, tools, restarts }) => ({
    name,
    state,
    reason,
    tools: tools.length,
    restarts,
  }));
  const failed = rows.filter(({ state }) => state === "failed");
  return {
    ok: failed.length === 0,
    reason: failed.map(({ name, reason }) => `${name}: ${reason}`).join("; "),
    servers,
  };
}
