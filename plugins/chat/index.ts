/** The chat plugin: sessions and their history, the agent that answers in them, and ClawGo's chat API over both. */
import { agent, type Context, definePlugin, need, providers, type Sessions, sessions, store, tools } from "@chela/sdk";
import { AgentService } from "./agent-service.ts";
import { registerRoutes } from "./faces/http.ts";
import { registerLive } from "./faces/live.ts";
import { registerMethods } from "./faces/methods.ts";
import { RequestTable } from "./request-table.ts";
import { SessionTable } from "./session-table.ts";
import { AgentsConfig, type AgentsSettings } from "./settings.ts";
import { migrations } from "./tables.ts";
import type { World } from "./world.ts";

const needs = {
  store: need(store, "^1.0.0"),
  providers: need(providers, "^1.0.0"),
  tools: need(tools, "^1.0.0"),
};

const hour = 3_600_000;

export default definePlugin({
  id: "chat",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Sessions, history, the agent loop and ClawGo's chat API",
  section: "agents",
  config: AgentsConfig,
  hot: ["*"],
  needs,
  provides: [sessions, agent],
  async setup(ctx) {
    await ctx.use.store.migrate("chat", migrations);
    const table = new SessionTable(ctx.use.store);
    const requests = new RequestTable(ctx.use.store);
    const alone = new Promise<void>((resolve) => ctx.start(resolve));
    const turns = new AgentService(worldOf(ctx, table, requests), alone);
    ctx.own("turns", () => turns.close());
    ctx.every(hour, () => requests.purge());

    const shared: Sessions = {
      append: (key, messages) => table.append(key, messages),
      history: (key, window) => table.history(key, window),
      list: () => table.list(),
      remove: (key) => turns.alone(key, () => table.remove(key)),
    };
    ctx.provide(sessions, shared);
    ctx.provide(agent, turns);
    ctx.health("agent", () => ({ ok: true, ...turns.load }));
    registerRoutes(ctx, { agent: turns, sessions: shared });
    registerLive(ctx, turns);
    registerMethods(ctx, { agent: turns, sessions: shared });
  },
});

function worldOf(ctx: Context<AgentsSettings, typeof needs>, table: SessionTable, requests: RequestTable): World {
  return {
    providers: ctx.use.providers,
    tools: ctx.use.tools,
    sessions: table,
    requests,
    settings: () => ctx.config,
    call: ctx.call,
    ended: (record) => {
      // A turn that the stop of this plugin cut short has nobody left to tell.
      if (ctx.signal.aborted) return;
      if (record.session !== null) ctx.emit("session_changed", { session: record.session });
      ctx
        .call("turn:done", record)
        .catch((error: unknown) => ctx.log.error({ error, turn: record.id }, "turn:done failed"));
    },
    log: ctx.log,
  };
}
