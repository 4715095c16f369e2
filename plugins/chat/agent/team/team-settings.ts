/** The parts of the `agents` section with ClawGo's names: compaction, tool execution, the router, subagents. */
import { type Static, Type } from "@chela/sdk";

/** Of keys that ClawGo has and that have nothing to do here: a config that names them stays valid. */
export const kept = "No effect: a key of ClawGo that is kept";

const Positive = (value: number, description: string) =>
  Type.Integer({ exclusiveMinimum: 0, default: value, description });

export const ContextCompaction = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "Sum up what no longer fits, instead of leaving it out" }),
    mode: Type.Union([Type.Literal("summary"), Type.Literal("responses_compact"), Type.Literal("hybrid")], {
      default: "summary",
      description: `${kept}: whatever it says, a call of the model sums up`,
    }),
    model: Type.Optional(Type.String({ description: "provider/model that sums up; absent: the agent's own" })),
    trigger_messages: Positive(60, "Messages after the last summary that call for the next one"),
    keep_recent_messages: Positive(20, "Messages that stay as they are"),
    target_ratio: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.35,
      description: "Share of the model's window that is left full when it had filled up",
    }),
    protect_last_n: Positive(12, "The newest messages, which are summed up last"),
    pressure_threshold: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.8,
      description: "Share of the model's window from which on it counts as full",
    }),
    max_summary_chars: Positive(6_000, "Longest summary"),
    max_transcript_chars: Positive(20_000, "What the model is given to sum up, at most"),
  },
  { default: {}, additionalProperties: true },
);

export const Execution = Type.Object(
  {
    run_state_ttl_seconds: Type.Optional(Type.Integer({ minimum: 60, description: kept })),
    run_state_max: Type.Optional(Type.Integer({ exclusiveMinimum: 0, description: kept })),
    tool_parallel_safe_names: Type.Array(Type.String(), {
      default: [],
      description: "Tools that may run side by side although they are not known to only read",
    }),
    tool_max_parallel_calls: Positive(2, "Tool calls that run side by side"),
  },
  { default: {}, additionalProperties: true },
);

export const SubagentLimits = Type.Object(
  {
    max_depth: Type.Integer({ minimum: 0, maximum: 8, default: 2, description: "0: no agent may hand work on" }),
    max_children: Type.Integer({ minimum: 1, maximum: 64, default: 4, description: "At work at once for one turn" }),
    max_tokens: Type.Integer({ minimum: 0, default: 0, description: "Tokens of one subagent; 0: no limit of its own" }),
  },
  { default: {}, additionalProperties: true },
);

export const Router = Type.Object(
  {
    enabled: Type.Boolean({ default: false, description: "Choose the agent of a message that names none" }),
    main_agent_id: Type.String({ default: "main", description: "Who answers when nothing else decides" }),
    strategy: Type.String({ default: "rules_first", description: "rules_first, round_robin or manual" }),
    allow_direct_agent_chat: Type.Boolean({ default: false, description: "@ID at the beginning names the agent" }),
    max_hops: Type.Integer({ minimum: 0, default: 6, description: "Hand-overs that follow from one message" }),
    default_timeout_sec: Type.Integer({
      minimum: 0,
      default: 600,
      description: "Longest turn of a subagent while the router is on; 0: turn_timeout_sec",
    }),
    sticky_thread_owner: Type.Boolean({ default: true, description: "Who answered in a session goes on answering" }),
    rules: Type.Array(
      Type.Object(
        {
          agent_id: Type.String({ default: "", description: "The agent that this rule chooses" }),
          keywords: Type.Array(Type.String(), { default: [], description: "One of them in the message is enough" }),
        },
        { additionalProperties: true },
      ),
      { default: [], description: "For rules_first; the first that fits decides" },
    ),
    policy: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: kept })),
  },
  { default: {}, additionalProperties: true },
);

const Texts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));
const Text = (description: string) => Type.Optional(Type.String({ description }));
const Count = (description: string) => Type.Optional(Type.Integer({ description }));

export const Subagent = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: "Only true makes it an agent that can be asked" })),
    type: Text(kept),
    transport: Text(`${kept}: local, the only one there is`),
    role: Text("What it is for, in a few words; part of its prompt"),
    display_name: Text("Shown to other agents where there is no description"),
    description: Text("Shown to the agents that may hand work to it"),
    system_prompt_file: Text("Its prompt; relative to the workspace"),
    memory_namespace: Text("Whose memory it reads and writes; absent: its own"),
    notify_main_policy: Text(
      "What the parent hears of background work: final_only (the result; milestone and always mean the same), on_blocked (a failure), internal_only (nothing)",
    ),
    requires_main_mediation: Type.Optional(Type.Boolean({ description: kept })),
    accept_from: Texts(
      "Agents that may hand work to it; absent: all. user is taken and changes nothing: keys say what people may",
    ),
    can_talk_to: Texts("Agents it may hand work to; absent: all"),
    tools: Type.Optional(
      Type.Object({ allowlist: Texts("Tools and groups it may call; absent: all") }, { additionalProperties: true }),
    ),
    runtime: Type.Optional(
      Type.Object(
        {
          provider: Text("A provider, or provider/model; alone it answers with its first model"),
          model: Text("A model of that provider; absent with it: that of agents.defaults"),
          temperature: Type.Optional(Type.Number({ description: "Absent: that of agents.defaults" })),
          max_retries: Count(
            "Times a call of its model is repeated that failed for a reason that may pass; default 0, 20 at most",
          ),
          retry_backoff_ms: Count("Pause before the first of them, doubled each time; default 1000"),
          max_task_chars: Count("Longest task it takes; 0: no limit"),
          max_result_chars: Count("Longest result it hands back, the middle is left out; 0: no limit"),
        },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true },
);

export type SubagentSettings = Static<typeof Subagent>;
