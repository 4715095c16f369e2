/** What the gateway tells of a conversation: stored messages, frames of `/api/chat/live`, rows of the list of sessions. */

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
}

export interface StoredCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface StoredMessage {
  readonly role: "user" | "assistant" | "tool" | "system";
  readonly content: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly StoredCall[];
  readonly seq: number;
  readonly at: string;
  readonly state: string;
  readonly model?: string;
  readonly usage?: Usage;
  /** US dollars. */
  readonly cost?: number;
  readonly reasoning?: string;
}

/** Which fields are there depends on `type`. */
export interface Frame {
  readonly ok: boolean;
  readonly type: string;
  readonly session?: string;
  readonly idempotencyKey?: string;
  readonly delta?: string;
  readonly text?: string;
  readonly reply?: string;
  readonly error?: string;
  readonly code?: string;
  readonly turn?: string;
  readonly stop?: string;
  readonly seq?: number;
  readonly epoch?: string;
  readonly model?: string;
  readonly usage?: Usage;
  readonly cost?: number;
  readonly running?: boolean;
  readonly messages?: readonly StoredMessage[];
  readonly id?: string;
  readonly name?: string;
  readonly state?: string;
  readonly input?: string;
  readonly output?: string;
}

export interface SessionRow {
  readonly key: string;
  readonly kind?: string;
  readonly title?: string;
  readonly messages?: number;
  readonly updated_at?: number;
  readonly first?: string;
  readonly preview?: string;
  readonly running?: boolean;
  readonly agent?: string;
}
