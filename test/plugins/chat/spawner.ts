/** The tool that hands work on, as the tools plugin has it, over the agent's service, and how the one who gets it is known. */
import { agent, definePlugin, type ModelRequest, need, type Turn, Type } from "@chela/sdk";

export const spawner = definePlugin({
  id: "spawner",
  version: "1.0.0",
  host: "^1.0.0",
  needs: { agent: need(agent, "^1.0.0") },
  setup: (ctx) => {
    const input = Type.Object({
      task: Type.String(),
      agent: Type.Optional(Type.String()),
      background: Type.Optional(Type.Boolean()),
    });
    ctx.tool({
      name: "spawn",
      about: "Hands work on",
      input,
      access: "write",
      risk: "read",
      run: async ({ task, ...more }, turn: Turn) => {
        const { session, run } = ctx.use.agent.spawn({ parent: turn, text: task, ...more });
        return more.background ? `started ${session}` : (await run.done).text;
      },
    });
  },
});

export function system(request: ModelRequest | undefined): string {
  return String(request?.messages[0]?.content);
}

export function isChild(request: ModelRequest): boolean {
  return system(request).includes("You are a subagent");
}
