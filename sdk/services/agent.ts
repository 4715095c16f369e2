/** The agent: runs turns. A run belongs to its session, not to a socket; whoever asked may leave and come back. */
import type { Identity } from "../identity.ts";
import type { Message, ModelRequest, StopReason, ToolCall, ToolSpec, Turn, Usage } from "../messages.ts";
import { defineService } from "../service.ts";

/** An agent that can be asked. */
export interface AgentInfo {
  readonly id: string;
  readonly about: string;
  readonly model: string;
}

/** An agent as those see it who may hand work to it: the main one, `agents.entries` and what is enabled of `agents.subagents`. */
export interface AgentProfileInfo extends AgentInfo {
  readonly kind: "main" | "entry" | "subagent";
  /** What it is for, in a word or two; empty: nothing was said. */
  readonly role: string;
  /** Tools it may call, groups not yet expanded; absent: all. */
  readonly tools?: readonly string[];
  /** Who may hand work to it; absent: everybody. `user` is a person. */
  readonly acceptFrom?: readonly string[];
  /** Whom it may hand work to; absent: everybody. */
  readonly canTalkTo?: readonly string[];
}

/** Work for a subagent, given by the turn `parent`. */
export interface SpawnRequest {
  readonly parent: Turn;
  readonly text: string;
  /** Default: the parent's own profile. */
  readonly agent?: string;
  /** `provider/model` instead of the profile's. */
  readonly model?: string;
  /** Narrows the tools further. */
  readonly tools?: readonly string[];
  /** Do not wait: the result comes back into the parent's session as a message of its own. Needs a session. */
  readonly background?: boolean;
}

/** A subagent at work. */
export interface Spawned {
  readonly agent: string;
  /** `subagent:<parent turn>:<n>`; null where the parent leaves nothing behind. */
  readonly session: string | null;
  readonly run: TurnRun;
}

/** One message for an agent, with all that goes with it. */
export interface TurnRequest {
  /** Session key, or null: a stateless call that leaves nothing behind. */
  readonly session: string | null;
  /** Default: what `agent:pick` says, else `main`. */
  readonly agent?: string;
  readonly text: string;
  /** Earlier messages, given by the client instead of a stored history. */
  readonly context?: readonly Message[];
  readonly media?: readonly string[];
  /** The client's own system prompt for this turn: follows the agent's, comes before the history, is not stored. */
  readonly instructions?: string;
  /** `provider/model` instead of the agent's own. */
  readonly model?: string;
  /** The client's tools: calls to them end the turn and are handed back. */
  readonly clientTools?: readonly ToolSpec[];
  readonly options?: Pick<ModelRequest, "maxTokens" | "temperature" | "toolChoice" | "extra">;
  readonly channel: string;
  readonly identity: Identity;
  /** Names of the tools it may call, beside what the agent's own profile allows; absent: no further limit. */
  readonly tools?: readonly string[];
  /** The turn that spawned this one: depth, budget and abort are passed on. Use `spawn`. */
  readonly parent?: Turn;
  /** When a turn runs in the session: wait for it, or be heard in it before its next model call. Default by `agents.defaults.when_busy`. */
  readonly whenBusy?: "queue" | "steer";
  /** A retry with the same key returns the first run's outcome. Kept 24 h. */
  readonly idempotencyKey?: string;
  /** Aborts the turn and the upstream request. What had arrived is kept and marked. */
  readonly signal?: AbortSignal;
}

/** What happens while a turn runs. */
export type TurnEvent =
  | {
      readonly type: "start";
      readonly turn: string;
      readonly model: string;
      /** Sequence number of the user's message, where it is stored. */
      readonly seq?: number;
    }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | {
      readonly type: "tool";
      readonly id: string;
      readonly name: string;
      readonly state: "run" | "ok" | "failed";
      /** JSON text, with `run`. */
      readonly arguments?: string;
      /** What the model reads, with `ok` and `failed`. */
      readonly output?: string;
    }
  /** A message that arrived meanwhile was taken into the turn; `seq` is its number. */
  | { readonly type: "steered"; readonly text: string; readonly seq?: number };

/** How a turn ended. */
export interface TurnResult {
  readonly turn: string;
  readonly text: string;
  /** The thoughts before the last answer, where the model told some. */
  readonly reasoning?: string;
  readonly model: string;
  readonly usage: Usage | null;
  /** US dollars, where the price of every model call of the turn is known. What its subagents cost is theirs. */
  readonly cost?: number;
  /** Sequence number of the newest message that was stored with its end. */
  readonly seq?: number;
  readonly stop: StopReason;
  /** Calls to the client's own tools. */
  readonly toolCalls: readonly ToolCall[];
}

/** A turn that runs. */
export interface TurnRun {
  readonly id: string;
  /** Live events; may be iterated once. The turn goes on when nobody listens. */
  readonly events: AsyncIterable<TurnEvent>;
  /** Rejects with a GatewayError when the turn failed. */
  readonly done: Promise<TurnResult>;
  abort(reason: string): void;
}

/** Runs turns; provided by the plugin `chat`. */
export interface Agent {
  agents(): readonly AgentInfo[];
  profiles(): readonly AgentProfileInfo[];
  run(request: TurnRequest): TurnRun;
  /**
   * Hands work to a subagent. Throws `SPAWN_DEPTH` and `SPAWN_REFUSED` 403, `SPAWN_LIMIT` 429, `AGENT_UNKNOWN` 404. What the
   * parent may not do, no child may; an abort of the parent ends those that are not in the background.
   */
  spawn(request: SpawnRequest): Spawned;
  /** Aborts what runs in a session; the number of turns it ended. */
  abort(session: string): number;
  /**
   * Joins what runs in a session: thoughts, text and tool calls of the current model call so far, then live events. What came
   * before, up to `seq`, is in the history.
   */
  attach(session: string): { readonly run: TurnRun; readonly seq: number } | undefined;
}

/** Name it in `needs`. */
export const agent = defineService<Agent>("agent", "1.0.0");
