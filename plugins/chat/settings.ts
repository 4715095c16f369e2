/** The `agents` section in ClawGo's shape, and the agents it describes. Everything is read live, so every key is hot. */
import { type AgentInfo, GatewayError, type Static, Type } from "@chela/sdk";

/** Keys of ClawGo that later features own: kept, not judged. */
const Open = Type.Optional(Type.Record(Type.String(), Type.Unknown()));

const defaultPrompt =
  "You are Chela, a helpful assistant behind a self-hosted gateway. Answer in the language of the user, briefly and truthfully. Use the tools you are given when they help, and say so when something failed.";

const Defaults = Type.Object(
  {
    model: Type.Object(
      {
        primary: Type.String({ default: "", description: "provider/model; empty: what the providers offer first" }),
        fallbacks: Type.Optional(
          Type.Array(Type.String(), { description: "provider/model to try after the primary one" }),
        ),
      },
      { default: {}, additionalProperties: true },
    ),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "Longest reply; absent: what the provider says" }),
    ),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    max_tool_iterations: Type.Integer({
      minimum: 1,
      maximum: 200,
      default: 20,
      description: "Model calls in one turn",
    }),
    system_prompt: Type.String({ default: defaultPrompt }),
    context_messages: Type.Integer({
      minimum: 1,
      maximum: 2_000,
      default: 60,
      description: "Earlier messages a model is given",
    }),
    context_chars: Type.Integer({
      minimum: 1_000,
      maximum: 100_000_000,
      default: 400_000,
      description: "Their characters in all; the result of one tool call may have a quarter of that",
    }),
    turn_timeout_sec: Type.Integer({ minimum: 1, maximum: 86_400, default: 1_800 }),
    max_queued_turns: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 64,
      description: "Turns that may wait in one session",
    }),
    max_parallel_turns: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 64,
      description: "Turns that run at once, in all sessions",
    }),
    workspace: Type.Optional(Type.String()),
    heartbeat: Open,
    context_compaction: Open,
    execution: Open,
    summary_policy: Open,
  },
  { default: {}, additionalProperties: true },
);

const Entry = Type.Object(
  {
    model: Type.Optional(Type.String({ description: "provider/model" })),
    system_prompt: Type.Optional(Type.String()),
    about: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
);

export const AgentsConfig = Type.Object(
  {
    defaults: Defaults,
    entries: Type.Record(Type.String(), Entry, { default: {}, description: "Further agents by id" }),
    router: Open,
    communication: Open,
    subagents: Open,
    list: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: true },
);

export type AgentsSettings = Static<typeof AgentsConfig>;

export interface AgentProfile {
  readonly id: string;
  readonly about: string;
  /** Empty: the providers choose. */
  readonly model: string;
  readonly systemPrompt: string;
}

export const mainAgent = "main";

/** Throws `AGENT_UNKNOWN` 404 with the names there are. */
export function agentProfile(settings: AgentsSettings, id: string): AgentProfile {
  const { defaults, entries } = settings;
  const entry = Object.hasOwn(entries, id) ? entries[id] : undefined;
  if (!entry && id !== mainAgent) {
    const names = agentIds(settings).join(", ");
    throw new GatewayError("AGENT_UNKNOWN", 404, `there is no agent "${id.slice(0, 100)}"; the agents are: ${names}`);
  }
  return {
    id,
    about: entry?.about ?? (id === mainAgent ? "The main agent" : ""),
    model: entry?.model ?? defaults.model.primary,
    systemPrompt: entry?.system_prompt ?? defaults.system_prompt,
  };
}

/** `fallback` names the model of an agent that chose none. */
export function listAgents(settings: AgentsSettings, fallback: () => string): readonly AgentInfo[] {
  return agentIds(settings).map((id) => {
    const { about, model } = agentProfile(settings, id);
    return { id, about, model: model || fallback() };
  });
}

function agentIds(settings: AgentsSettings): readonly string[] {
  return [
    mainAgent,
    ...Object.keys(settings.entries)
      .filter((id) => id !== mainAgent)
      .sort(),
  ];
}
