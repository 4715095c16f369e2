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
  /** What the model's own wire wants back with this message (signatures of thoughts); other wires leave it out. Not stored. */
  readonly native?: NativeParts;
}

/** Parts of a reply in the form of one wire dialect. */
export interface NativeParts {
  readonly wire: string;
  readonly parts: unknown;
}

/** What a model call cost, in tokens. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Input tokens read from the upstream's cache; part of `inputTokens`. */
  readonly cachedTokens?: number;
  /** Input tokens written to that cache; part of `inputTokens`. */
  readonly cacheWriteTokens?: number;
  /** Tokens of thoughts; part of `outputTokens`. */
  readonly reasoningTokens?: number;
}

/** Why a model or a turn stopped. */
export type StopReason = "stop" | "length" | "tool_calls" | "content_filter" | "aborted" | "error";

/** A tool as a model sees it. One that is frozen never changes, nor does anything in it: what was made of it may be kept. */
export interface ToolSpec {
  readonly name: string;
  readonly about: string;
  /** JSON Schema of the input. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The vendor is to see to it that calls fit the schema, where it can. */
  readonly strict?: boolean;
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
  readonly native?: NativeParts;
}

/** On whose behalf a model is asked, for budgets and the records of usage. */
export interface ModelCaller {
  /** `turn`, `summary`, `straight`, `embeddings`, `test` … */
  readonly purpose: string;
  readonly identity?: Identity | undefined;
  readonly session?: string | null | undefined;
  readonly turn?: string | undefined;
  readonly agent?: string | undefined;
  /** What is asked, or the body that is passed on in its place: what the call may use at most is judged by it. */
  readonly request?: ModelRequest | Readonly<Record<string, unknown>> | undefined;
}

/** A model call that has ended, well or not. */
export interface ModelCallRecord extends Omit<ModelCaller, "request"> {
  /** The very object that `model:before` was told of this call. */
  readonly caller: ModelCaller;
  /** Milliseconds since 1970, when it began. */
  readonly at: number;
  /** `provider/model` that was asked for. */
  readonly asked: string;
  /** The one that answered; `asked` where none did. */
  readonly model: string;
  readonly provider: string;
  /** Name of the credential, masked. */
  readonly credential: string;
  /** Null: the upstream told nothing. */
  readonly usage: Usage | null;
  readonly ms: number;
  /** Until the first token; null where there was none. */
  readonly firstTokenMs: number | null;
  /** Candidates that failed before. */
  readonly failed: number;
  /** Code of the error that ended it. */
  readonly error?: string | undefined;
}

/** What a turn is about, for tools and hooks. */
export interface Turn {
  readonly id: string;
  /** Session key, or null for a stateless call. */
  readonly session: string | null;
  readonly agent: string;
  readonly identity: Identity;
  readonly signal: AbortSignal;
  /** Tools that may be called; absent: all that the identity may use. */
  readonly tools?: readonly string[];
  /** 0 or absent for what somebody asked; a subagent's turn is one deeper than the one that spawned it. */
  readonly depth?: number;
  /** Session in which somebody asked, on the turn of a subagent: approvals are asked for there too. */
  readonly root?: string | null;
  /** `direct`: somebody invoked the tool himself, no model did. Absent: `agent`. */
  readonly origin?: "agent" | "direct";
  readonly channel?: string;
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

/** A tool call that has ended, with what became of it; also one that was refused. */
export interface ToolRecord {
  readonly id: string;
  readonly tool: string;
  readonly owner: string;
  readonly risk: "read" | "write" | "exec";
  /** The arguments as they came, JSON text. */
  readonly arguments: string;
  readonly turn: Turn;
  readonly outcome: "ok" | "failed" | "denied";
  readonly output: string;
  readonly ms: number;
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
