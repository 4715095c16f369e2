/** tools: what agents can do by themselves, who has to agree to it, and the record of all of it. */
import { approvals, definePlugin, type Tool, type TSchema } from "@chela/sdk";
import { ApprovalDesk } from "./approvals/desk.ts";
import { registerApprovals } from "./approvals/faces.ts";
import { tapApprovals } from "./approvals/tap.ts";
import { registerAudit } from "./audit/faces.ts";
import { registerCatalogue } from "./faces/catalogue.ts";
import { registerInvoke } from "./faces/invoke.ts";
import { fileTools } from "./files/tools.ts";
import { followSessions } from "./follow-sessions.ts";
import { guarded } from "./guard.ts";
import { hotKeys, ToolsConfig } from "./settings.ts";
import { ShellSwitch } from "./shell/switch.ts";
import { memoryTools } from "./talk/memory.ts";
import { sessionTools } from "./talk/sessions.ts";
import { agentTools } from "./talk/subagents.ts";
import { systemTools } from "./talk/system.ts";
import { timeTools } from "./time/tools.ts";
import { problemsOf } from "./validate.ts";
import { webTools } from "./web/tools.ts";
import { type Ctx, needs } from "./world.ts";

export default definePlugin({
  id: "tools",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Built-in tools, approvals, the audit of tool calls, ClawGo's catalogue of tools",
  section: "tools",
  config: ToolsConfig,
  hot: hotKeys,
  needs,
  provides: [approvals],
  setup(ctx) {
    const shell = new ShellSwitch();
    const ours = toolsOf(ctx, shell);
    const desk = new ApprovalDesk();
    ctx.provide(approvals, desk);
    ctx.own("approvals", () => desk.close());
    // Before the drain: what waits for a person would hold it up.
    ctx.stopping.addEventListener("abort", () => desk.close(), { once: true });
    ctx.on("config:validate", (config, add) => {
      const live = ctx.use.tools.list();
      const known = live.length === 0 ? [] : [...live, ...ours].map(({ name }) => name);
      for (const problem of problemsOf(config.tools, known)) add(problem);
    });
    tapApprovals(ctx, desk);
    followSessions(ctx, desk, shell);
    registerApprovals(ctx, desk);
    registerAudit(ctx);
    registerCatalogue(ctx);
    registerInvoke(ctx);
    ctx.own("processes", () => shell.off());
    for (const tool of ours) ctx.tool(tool);
    ctx.onConfig(({ shell: { enabled } }, changed) => {
      if (!changed.some((key) => key === "shell" || key === "shell.enabled")) return;
      if (!enabled) void shell.off();
      // Never awaited here: it waits for this very change.
      ctx.retool(toolsOf(ctx, shell)).catch((error: unknown) => {
        if (!ctx.signal.aborted) ctx.log.error({ error }, "the tools could not be changed");
      });
    });
  },
});

/** What can be offered with the settings of now; each that needs a service comes and goes with it. */
function toolsOf(ctx: Ctx, shell: ShellSwitch): Tool<TSchema>[] {
  const all = [
    ...withService("workspace", [...fileTools(ctx), ...memoryTools(ctx)]),
    ...withService("workspace", ctx.config.shell.enabled ? shell.tools(ctx) : []),
    ...webTools(ctx),
    ...withService("sessions", sessionTools(ctx)),
    ...withService("agent", agentTools(ctx)),
    ...withService("cron", timeTools(ctx)),
    ...systemTools(ctx),
  ];
  return all.map(guarded);
}

function withService(key: keyof typeof needs, tools: readonly Tool<TSchema>[]): Tool<TSchema>[] {
  return tools.map((tool) => ({ ...tool, needs: [key] }));
}
