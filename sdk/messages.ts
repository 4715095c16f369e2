/** The words of a conversation: messages, tool calls, model requests and what comes back, in one normal form for all wire dialects. */
import type { Identity } from "./identity.ts";

/** A call that a model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it. */
  readonly arguments: string;
}

/** A piece of a message; images are URLs, `data:` ones included. */
export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly url: string };

/** One message of a conversation. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | readonly ContentPart[];
  readonly toolCalls?: readonly ToolCall[];
  /** On `tool` messages: the call this answers. */
  readonly toolCallId?: string;
  readonly reasoning?: string;
}

/** What a model call cost, in tokens. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
}

/** Why a model or a turn stopped. */
export type StopReason = "stop" | "length" | "tool_calls" | "content_filter" | "aborted" | "error";

/** A tool as a model sees it. */
export interface ToolSpec {
  readonly name: string;
  readonly about: string;
  /** JSON Schema of the input. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** One call of a model. */
export interface ModelRequest {
  /** `provider/model`; the first candidate, then `fallbacks` in order. */
  readonly model: string;
  readonly fallbacks?: readonly string[];
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[];
  readonly toolChoice?: "auto" | "none" | "required" | { readonly name: string };
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** Passed to the wire as they are: `top_p`, `response_format`, `seed` … */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The normalised stream of one model call. `done` or `error` is always last. */
export type ModelEvent =
  | { readonly type: "start"; readonly provider: string; readonly model: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "tool"; readonly call: ToolCall }
  | { readonly type: "done"; readonly reply: ModelReply };

/** What came of one call of a model. */
export interface ModelReply {
  readonly provider: string;
  readonly model: string;
  readonly text: string;
  readonly reasoning?: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: Usage | null;
  readonly stop: StopReason;
}

/** What a turn is about, for tools and hooks. */
export interface Turn {
  readonly id: string;
  /** Session key, or null for a stateless call. */
  readonly session: string | null;
  readonly agent: string;
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

/** What somebody said, on its way to an agent. */
export interface InboundMessage {
  readonly session: string | null;
  readonly agent: string;
  readonly text: string;
  readonly media: readonly string[];
  readonly identity: Identity;
  /** `web`, `openai`, `cli`, `weixin` … */
  readonly channel: string;
}

/** What an agent says, on its way out. */
export interface OutboundMessage {
  readonly session: string | null;
  readonly agent: string;
  readonly text: string;
  readonly channel: string;
}

/** A tool call that is about to run. */
export interface ToolInvocation {
  readonly id: string;
  readonly tool: string;
  readonly input: unknown;
  readonly risk: "read" | "write" | "exec";
  readonly turn: Turn;
}

/** A tool call that has run. */
export interface ToolOutcome {
  readonly invocation: ToolInvocation;
  readonly ok: boolean;
  /** What the model reads. */
  readonly output: string;
}

/** A turn that has ended, as observers see it. */
export interface TurnRecord {
  readonly id: string;
  readonly session: string | null;
  readonly agent: string;
  readonly model: string;
  readonly usage: Usage | null;
  readonly stop: StopReason;
  readonly ms: number;
  readonly error?: { readonly code: string; readonly message: string };
}
