/**
 * The closed vocabulary of runtime hooks (`ctx.on`). The kind is the algebra:
 * `bail` the first tap that answers wins; `waterfall` each tap may return a changed value, undefined keeps it;
 * `parallel` and `series` observe and refuse nothing (`config:validate` may); `sync` never awaits. Anything falsy is no
 * answer. A tap that throws, or answers with what is no answer to its hook, is attributed to its plugin and counted.
 */

import type { GatewayError } from "./errors.ts";
import type { Credentials, Identity, Want } from "./identity.ts";
import type {
  InboundMessage,
  ModelCaller,
  ModelCallRecord,
  ModelReply,
  ModelRequest,
  OutboundMessage,
  ToolInvocation,
  ToolOutcome,
  ToolRecord,
  Turn,
  TurnRecord,
} from "./messages.ts";
import type { Reply } from "./reply.ts";

/** The facts of a request that hooks may look at. */
export interface RequestFacts {
  readonly id: string;
  readonly method: string;
  /** Canonical path, the same bytes the router sees; in `http:error`, of a path that was refused, as it came. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly address: string;
  /** Absent before authentication. */
  readonly identity?: Identity;
  /** As the handler gets it; absent before it was read. */
  readonly query?: unknown;
}

/** What a tap on `http:reply` may change. */
export interface ReplyFacts {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Something that is wrong with the config, and where. */
export interface ConfigProblem {
  /** Dotted path: `gateway.port`. */
  readonly path: string;
  /** Reads after the path: `must be <= 65535`. */
  readonly message: string;
  readonly level: "error" | "warning";
}

/** What `config:changed` tells its taps. */
export interface ConfigChange {
  readonly hash: string;
  /** Dotted leaf paths. */
  readonly changed: readonly string[];
  readonly source: string;
}

type Maybe<T> = T | undefined | void;
type Async<T> = T | Promise<T>;

/** Hook name → signature of a tap. */
export interface HookTaps {
  /** Who presents these credentials. The kernel's own modes are asked first. */
  "auth:identify": (credentials: Credentials) => Async<Maybe<Identity>>;
  /** A refusal, or nothing to let the identity pass. */
  "auth:authorize": (identity: Identity, want: Want) => Async<Maybe<GatewayError>>;
  /** An early answer to an authenticated request, before its body is read: limits, maintenance. */
  "http:request": (request: RequestFacts) => Async<Maybe<Reply>>;
  /** Status and headers of a reply before they leave; not of errors and static files. */
  "http:reply": (reply: ReplyFacts, request: RequestFacts) => Async<Maybe<ReplyFacts>>;
  /** An error in a dialect's own shape. */
  "http:error": (error: GatewayError, request: RequestFacts) => Async<Maybe<Reply>>;
  /** A refusal before the handshake of a WebSocket. */
  "ws:upgrade": (request: RequestFacts) => Async<Maybe<GatewayError>>;
  /** Checks beyond the schemas; an error among the problems refuses the change. */
  "config:validate": (config: Readonly<Record<string, unknown>>, add: (problem: ConfigProblem) => void) => Async<void>;
  /** A change of the config has taken effect. */
  "config:changed": (change: ConfigChange) => Async<void>;
  /** What somebody said, before a turn begins: normalise, moderate. */
  "message:in": (message: InboundMessage) => Async<Maybe<InboundMessage>>;
  /** The whole reply of a turn, before it is stored: moderate, translate. */
  "message:out": (message: OutboundMessage) => Async<Maybe<OutboundMessage>>;
  /** Which agent answers; `main` when no tap says. */
  "agent:pick": (message: InboundMessage) => Async<Maybe<string>>;
  /** The request to a model before it is sent: prompt assembly. */
  "model:request": (request: ModelRequest, turn: Turn) => Async<Maybe<ModelRequest>>;
  /** A model's whole reply before its tool calls are run. */
  "model:reply": (reply: ModelReply, turn: Turn) => Async<Maybe<ModelReply>>;
  /** Each piece of text as it comes; it cannot be changed here. */
  "model:chunk": (text: string, turn: Turn) => void;
  /** A refusal before a model is asked, on every way to a model: budgets. If nobody refuses, `model:done` follows with the same caller. */
  "model:before": (caller: ModelCaller, model: string) => Async<Maybe<GatewayError>>;
  /** A model call has ended, well or not: usage. */
  "model:done": (record: ModelCallRecord) => Async<void>;
  /** Approval and policy: the model reads why a call was denied. A tap has 15 minutes, since it may ask a person. */
  "tool:before": (invocation: ToolInvocation) => Async<Maybe<{ readonly deny: string }>>;
  /** What the model will read of a tool's result: trimming, redaction. */
  "tool:after": (outcome: ToolOutcome) => Async<Maybe<ToolOutcome>>;
  /** A tool call has ended or was refused: audit. */
  "tool:done": (record: ToolRecord) => Async<void>;
  /** A turn has ended, well or not. */
  "turn:done": (turn: TurnRecord) => Async<void>;
  /** Every plugin that can run has started. */
  "host:ready": () => Async<void>;
  /** Last words before the plugins are stopped; five seconds at most. */
  "host:stopping": (reason: string) => Async<void>;
}

/** Every hook there is. */
export type HookName = keyof HookTaps;
/** What the taps of a hook may do; see the top of this file. */
export type HookKind = "bail" | "waterfall" | "parallel" | "series" | "sync";

/** The algebra of each hook. */
export const hookKinds = {
  "auth:identify": "bail",
  "auth:authorize": "bail",
  "http:request": "bail",
  "http:reply": "waterfall",
  "http:error": "bail",
  "ws:upgrade": "bail",
  "config:validate": "parallel",
  "config:changed": "parallel",
  "message:in": "waterfall",
  "message:out": "waterfall",
  "agent:pick": "bail",
  "model:request": "waterfall",
  "model:reply": "waterfall",
  "model:chunk": "sync",
  "model:before": "bail",
  "model:done": "parallel",
  "tool:before": "bail",
  "tool:after": "waterfall",
  "tool:done": "parallel",
  "turn:done": "parallel",
  "host:ready": "parallel",
  "host:stopping": "series",
} as const satisfies Record<HookName, HookKind>;

/** Hooks that a plugin may run itself (`ctx.call`): those of the conversation. The others belong to the kernel. */
export type CallableHook =
  | "message:in"
  | "message:out"
  | "agent:pick"
  | "model:request"
  | "model:reply"
  | "model:chunk"
  | "model:before"
  | "model:done"
  | "turn:done";

/** What running a hook yields: the bailed answer, the last value of a waterfall, or nothing. */
export type HookResult<H extends HookName> = (typeof hookKinds)[H] extends "bail"
  ? Promise<Exclude<Awaited<ReturnType<HookTaps[H]>>, void>>
  : (typeof hookKinds)[H] extends "waterfall"
    ? Promise<Parameters<HookTaps[H]>[0]>
    : (typeof hookKinds)[H] extends "sync"
      ? void
      : Promise<void>;
