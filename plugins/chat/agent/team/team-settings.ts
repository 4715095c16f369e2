/** The parts of the `agents` section with ClawGo's names: compaction, tool execution, the router, subagents. */
import { type Static, Type } from "@chela/sdk";

const Positive = (value: number, description: string) =>
  Type.Integer({ exclusiveMinimum: 0, default: value, description });

export const ContextCompaction = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "Sum up what no longer fits, instead of leaving it out" }),
    mode: Type.Union([Type.Literal("summary"), Type.Literal("responses_compact"), Type.Literal("hybrid")], {
      default: "summary",
      description: "All of them sum up by a call of the model",
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
    run_state_ttl_seconds: Type.Optional(Type.Integer({ minimum: 60 })),
    run_state_max: Type.Optional(Type.Integer({ exclusiveMinimum: 0 })),
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
    enabled: Type.Boolean({ default: false }),
    main_agent_id: Type.String({ default: "main" }),
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
        { agent_id: Type.String({ default: "" }), keywords: Type.Array(Type.String(), { default: [] }) },
        { additionalProperties: true },
      ),
      { default: [] },
    ),
  },
  { default: {}, additionalProperties: true },
);

const Texts = Type.Optional(Type.Array(Type.String()));
const Text = Type.Optional(Type.String());
const Count = Type.Optional(Type.Integer());

export const Subagent = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    type: Text,
    transport: Text,
    role: Text,
    display_name: Text,
    description: Text,
    system_prompt_file: Type.Optional(Type.String({ description: "Relative to the workspace" })),
    memory_namespace: Text,
    notify_main_policy: Text,
    requires_main_mediation: Type.Optional(Type.Boolean()),
    accept_from: Texts,
    can_talk_to: Texts,
    tools: Type.Optional(Type.Object({ allowlist: Texts }, { additionalProperties: true })),
    runtime: Type.Optional(
      Type.Object(
        {
          provider: Text,
          model: Text,
          temperature: Type.Optional(Type.Number()),
          max_retries: Count,
          retry_backoff_ms: Count,
          max_task_chars: Count,
          max_result_chars: Count,
        },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true },
);

export type SubagentSettings = Static<typeof Subagent>;
