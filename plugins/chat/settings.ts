/** The `agents` section in ClawGo's shape. Everything is read live, so every key is hot; rules beyond the schema: team/rules.ts. */
import { type Static, Type } from "@chela/sdk";
import { ContextCompaction, Execution, kept, Router, Subagent, SubagentLimits } from "./agent/team/team-settings.ts";

/** Kept, not judged. */
const Open = Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: kept }));

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
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2, description: "Absent: what the provider says" })),
    max_tool_iterations: Type.Integer({
      minimum: 1,
      maximum: 200,
      default: 20,
      description: "Rounds of tool calls in one turn; after them the model is asked for its answer without tools",
    }),
    max_turn_tokens: Type.Integer({
      minimum: 0,
      default: 0,
      description: "Tokens that a turn and its subagents may take together; 0: no limit",
    }),
    when_busy: Type.Union([Type.Literal("queue"), Type.Literal("steer")], {
      default: "queue",
      description:
        "A message that arrives while its session is busy: waits for its turn, or is heard in the one that runs",
    }),
    system_prompt: Type.String({ default: defaultPrompt, description: "How every agent's prompt begins" }),
    time_zone: Type.Optional(
      Type.String({ maxLength: 64, description: "IANA name, as Europe/Berlin; absent: the machine's own" }),
    ),
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
    turn_timeout_sec: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 1_800,
      description: "Longest turn, with all its tools and subagents",
    }),
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
    workspace: Type.Optional(Type.String({ description: "The folder, where workspace.dir is empty" })),
    heartbeat: Open,
    context_compaction: ContextCompaction,
    execution: Execution,
    subagents: SubagentLimits,
    summary_policy: Open,
  },
  { default: {}, additionalProperties: true },
);

const Entry = Type.Object(
  {
    model: Type.Optional(Type.String({ description: "provider/model" })),
    system_prompt: Type.Optional(Type.String({ description: "Instead of that of agents.defaults" })),
    about: Type.Optional(Type.String({ description: "What it is for, for people and other agents" })),
    tools: Type.Optional(
      Type.Object(
        { allowlist: Type.Optional(Type.Array(Type.String(), { description: "Tools and groups it may call" })) },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true },
);

export const AgentsConfig = Type.Object(
  {
    defaults: Defaults,
    entries: Type.Record(Type.String(), Entry, { default: {}, description: "Further agents by id" }),
    router: Router,
    communication: Open,
    subagents: Type.Record(Type.String(), Subagent, { default: {}, description: "Agents to hand work to, by id" }),
    list: Type.Optional(Type.Unknown({ description: kept })),
  },
  { additionalProperties: true },
);

export type AgentsSettings = Static<typeof AgentsConfig>;
