/** spawn and subagent_profile: handing work to another agent, and who there is. */
import { type AgentProfileInfo, GatewayError, type Tool, type TSchema, Type } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";

const SpawnInput = Type.Object({
  content: Type.String({ minLength: 1, maxLength: 200_000, description: "The whole task: it knows nothing else" }),
  agent: Type.Optional(Type.String({ maxLength: 100, description: "Profile; default: one like you" })),
  model: Type.Optional(Type.String({ maxLength: 300, description: "provider/model" })),
  tools: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), {
      maxItems: 100,
      description: "The tools it may use, groups included",
    }),
  ),
  background: Type.Boolean({ default: false, description: "Do not wait: its result comes as a message" }),
});
const ProfileInput = Type.Object({
  action: Type.Union([Type.Literal("list"), Type.Literal("get")], { default: "list", description: "What to do" }),
  agent: Type.Optional(Type.String({ maxLength: 100, description: "For get: its name" })),
});

/** A subagent may ask people for approval, too. */
const maxSpawnMs = 3_600_000;

export function agentTools(ctx: Ctx): Tool<TSchema>[] {
  const spawn: Tool<typeof SpawnInput> = {
    name: "spawn",
    about: "Hands a task to a subagent and returns its result; with background, goes on without waiting.",
    input: SpawnInput,
    risk: "write",
    access: "write",
    timeoutMs: maxSpawnMs,
    run: async ({ content, background, agent: profile, model, tools }, turn) => {
      const { run, session, ...spawned } = present(ctx, "agent").spawn({
        parent: turn,
        text: content,
        background,
        ...(profile && { agent: profile }),
        ...(model && { model }),
        ...(tools && { tools }),
      });
      if (background) {
        run.done.catch(() => undefined);
        return `Started ${spawned.agent} in ${session}; its result will come as a message.`;
      }
      const { text, stop } = await run.done;
      if (stop === "aborted") throw new GatewayError("SPAWN_ABORTED", 499, `${spawned.agent} was stopped (${session})`);
      return text === "" ? `${spawned.agent} finished without a word (${session}).` : text;
    },
  };
  const profile: Tool<typeof ProfileInput> = {
    name: "subagent_profile",
    about: "The agents that spawn can hand work to: list them, or get one. Profiles are changed by the operator only.",
    input: ProfileInput,
    risk: "read",
    access: "read",
    run: ({ action, agent: id }) => {
      const profiles = present(ctx, "agent").profiles();
      if (action === "list") return profiles.map(line).join("\n") || "There are no subagents.";
      const found = profiles.find((one) => one.id === id);
      if (!found) throw new GatewayError("AGENT_UNKNOWN", 404, `there is no agent ${JSON.stringify(id ?? "")}`);
      return found;
    },
  };
  return [spawn, profile] as unknown as Tool<TSchema>[];
}

function line({ id, kind, role, about, model }: AgentProfileInfo): string {
  const what = [role, about].filter((text) => text !== "").join(": ");
  return `${id}  ${kind}${model === "" ? "" : `, ${model}`}${what && `  ${what}`}`;
}
