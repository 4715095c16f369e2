/** The chat plugin: sessions and their history, the agent that answers in them, and ClawGo's chat API over both. */
import {
  agent,
  type Context,
  definePlugin,
  need,
  providers,
  sessions,
  skills,
  store,
  tools,
  usageBook,
  workspace,
} from "@chela/sdk";
import { AgentService } from "./agent/agent-service.ts";
import { SummaryTable } from "./agent/context/summary-table.ts";
import { agentMigrations } from "./agent/context/tables.ts";
import { ModelFacts } from "./agent/context/windows.ts";
import { PartialTable } from "./agent/partials.ts";
import { PromptBook } from "./agent/prompt/prompt.ts";
import { Router } from "./agent/team/router.ts";
import { ToolSpecs } from "./agent/tool-specs.ts";
import type { World } from "./agent/world.ts";
import { registerChatMethods } from "./faces/chat-methods.ts";
import { registerChatRoutes } from "./faces/chat-routes.ts";
import { registerLive } from "./faces/live.ts";
import { registerSessionMethods } from "./faces/session-methods.ts";
import { registerSessionRoutes } from "./faces/session-routes.ts";
import { registerTransfer } from "./faces/session-transfer.ts";
import { RequestTable } from "./sessions/request-table.ts";
import { SessionService } from "./sessions/session-service.ts";
import { migrations } from "./sessions/tables.ts";
import { AgentsConfig, type AgentsSettings } from "./settings.ts";

const needs = {
  store: need(store, "^1.0.0"),
  providers: need(providers, "^1.0.0"),
  tools: need(tools, "^1.0.0"),
  workspace: need(workspace, "^1.0.0", { optional: true }),
  skills: need(skills, "^1.0.0", { optional: true }),
  usage: need(usageBook, "^1.0.0", { optional: true }),
};

const second = 1_000;
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
    await ctx.use.store.migrate("chat_agent", agentMigrations);
    const summaries = new SummaryTable(ctx.use.store);
    const partials = new PartialTable(ctx.use.store);
    const shared = sessionService(ctx, { summaries, partials }, () => ({ turns, world }));
    const requests = new RequestTable(ctx.use.store);
    // What a process that died had said comes before what is said next.
    await partials.recover(shared.table, ctx.log, false);
    const alone = new Promise<void>((resolve) => {
      ctx.start(() => partials.recover(shared.table, ctx.log, true).finally(resolve));
    });
    void alone.then(() => shared.table.remember(ctx.stopping));
    const world = worldOf(ctx, { sessions: shared.table, requests, partials, summaries });
    const turns = new AgentService(world, alone);
    ctx.on("config:validate", async (config, add) => {
      const { checkAgents } = await import("./agent/team/rules.ts");
      checkAgents(config, add);
    });
    ctx.own("sessions", () => shared.close());
    // Released first: what they say last is stored before that.
    ctx.own("turns", () => turns.close());
    ctx.every(hour, () => requests.purge());
    ctx.every(second, () => shared.round());
    ctx.provide(sessions, shared);
    ctx.provide(agent, turns);
    ctx.health("agent", () => ({ ok: true, ...turns.load }));
    const services = { agent: turns, sessions: shared, price: world.price };
    registerChatRoutes(ctx, services);
    registerLive(ctx, services);
    registerChatMethods(ctx, services);
    registerSessionRoutes(ctx, shared);
    registerTransfer(ctx, shared);
    registerSessionMethods(ctx, shared);
    ctx.panel({ id: "chat", title: "Chat", icon: "message-square", module: "webui:chat", access: "read", order: 10 });
  },
});

/** `live`: what is made after it and of it. */
function sessionService(
  ctx: Context<AgentsSettings, typeof needs>,
  { summaries, partials }: Pick<World, "summaries" | "partials">,
  live: () => { readonly turns: AgentService; readonly world: World },
): SessionService {
  return new SessionService({
    store: ctx.use.store,
    log: ctx.log,
    alone: (key, work) => live().turns.alone(key, work),
    between: (key, signal, work) => live().turns.between(key, signal, work),
    summary: (log) => summaries.textOf(log),
    forget: { log: (log) => summaries.remove(log), key: (key) => live().turns.forget(key) },
    moved: async (query, key, to) => {
      await partials.move(query, key, to);
      await live().world.router.move(query, key, to);
    },
    cut: async (query, { key, log, seq, to: toLog }) => {
      await (toLog === undefined ? summaries.cut(query, log, seq) : summaries.copy(query, { log, toLog, seq }));
      await partials.move(query, key, undefined);
    },
    copied: async (query, copy) => {
      await summaries.copy(query, copy);
      await live().world.router.copy(query, copy);
    },
    left: (key, to) => live().turns.family.moved(key, to),
    rewound: (key, seq) => live().turns.family.rewound(key, seq),
    running: () => live().turns.sessions,
    agents: (keys) => live().world.router.owners(keys),
  });
}

type Tables = Pick<World, "sessions" | "requests" | "partials" | "summaries">;

function worldOf(ctx: Context<AgentsSettings, typeof needs>, tables: Tables): World {
  const settings = () => ctx.config;
  return {
    ...tables,
    store: ctx.use.store,
    providers: ctx.use.providers,
    tools: ctx.use.tools,
    toolSpecs: new ToolSpecs(),
    router: new Router(ctx.use.store, settings),
    prompts: new PromptBook({
      workspace: () => ctx.use.workspace,
      skills: () => ctx.use.skills,
      timeZone: () => ctx.config.defaults.time_zone,
      failed: (error, what) => ctx.log.warn({ error, what }, "a part of the prompt could not be read; it is left out"),
    }),
    models: new ModelFacts(ctx.use.providers),
    workspace: () => ctx.use.workspace,
    settings,
    listens: ctx.listens,
    call: ctx.call,
    price: (model, usage) => ctx.use.usage?.cost(model, usage) ?? null,
    started: (turn, session) => {
      if (session !== null && !ctx.signal.aborted) ctx.emit("turn_started", { session, turn });
    },
    ended: (record) => {
      // A turn that the stop of this plugin cut short has nobody left to tell.
      if (ctx.signal.aborted) return;
      if (record.session !== null) ctx.emit("session_changed", { session: record.session, turn: record.id });
      ctx
        .call("turn:done", record)
        .catch((error: unknown) => ctx.log.error({ error, turn: record.id }, "turn:done failed"));
    },
    log: ctx.log,
  };
}
