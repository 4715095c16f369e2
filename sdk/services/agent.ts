/** The agent: runs turns. A run belongs to its session, not to a socket; whoever asked may leave and come back. */
import type { Identity } from "../identity.ts";
import type { Message, ModelRequest, StopReason, ToolCall, ToolSpec, Usage } from "../messages.ts";
import { defineService } from "../service.ts";

/** An agent that can be asked. */
export interface AgentInfo {
  readonly id: string;
  readonly about: string;
  readonly model: string;
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
  /** A retry with the same key returns the first run's outcome. Kept 24 h. */
  readonly idempotencyKey?: string;
  /** Aborts the turn and the upstream request. What had arrived is kept and marked. */
  readonly signal?: AbortSignal;
}

/** What happens while a turn runs. */
export type TurnEvent =
  | { readonly type: "start"; readonly turn: string; readonly model: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "tool"; readonly id: string; readonly name: string; readonly state: "run" | "ok" | "failed" };

/** How a turn ended. */
export interface TurnResult {
  readonly turn: string;
  readonly text: string;
  readonly model: string;
  readonly usage: Usage | null;
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
  run(request: TurnRequest): TurnRun;
  /** Aborts what runs in a session; the number of turns it ended. */
  abort(session: string): number;
}

/** Name it in `needs`. */
export const agent = defineService<Agent>("agent", "1.0.0");
