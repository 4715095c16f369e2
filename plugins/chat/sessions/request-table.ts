/**
 * Idempotency keys: what a request with a key became, kept for a day. A row is written together with the user's message
 * and completed together with the reply, so a key that is there always tells the truth about the history.
 */
import { createHash } from "node:crypto";
import { GatewayError, type Query, type Store, type TurnRequest, type TurnResult } from "@chela/sdk";

const keptMs = 24 * 60 * 60 * 1000;

interface StoredError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

export type Outcome = { readonly result: TurnResult } | { readonly error: StoredError };

/** One client's key in one session. */
export interface RequestId {
  readonly session: string;
  readonly identity: string;
  readonly key: string;
  /** Of what was asked: the same key may not carry something else. */
  readonly digest: string;
}

export interface KnownRequest {
  readonly turn: string;
  /** Sequence number of the user's message. */
  readonly userSeq: number;
  /** Undefined: the process ended before the turn did. */
  readonly outcome: Outcome | undefined;
}

/** Undefined when the request carries no key or belongs to no session. Throws `IDEMPOTENCY_KEY` 400. */
export function requestId(request: TurnRequest): RequestId | undefined {
  const { idempotencyKey: key, session, identity, text, media = [], agent = "", model = "" } = request;
  const { instructions = "", context = [] } = request;
  if (key === undefined || session === null) return undefined;
  if (!/^[\x20-\x7e]{1,200}$/.test(key)) {
    throw new GatewayError("IDEMPOTENCY_KEY", 400, "the idempotency key must have 1 to 200 printable ASCII characters");
  }
  const digest = createHash("sha256")
    .update(JSON.stringify([text, media, agent, model, instructions, context]))
    .digest("hex");
  return { session, identity: identity.id, key, digest };
}

/** The same for every repetition of a request. */
export function keyOf({ session, identity, key }: RequestId): string {
  return JSON.stringify([session, identity, key]);
}

export function sameRequest(a: RequestId, digest: string): void {
  if (a.digest === digest) return;
  const message = "this idempotency key was used with another message within the last 24 hours: take a new key";
  throw new GatewayError("IDEMPOTENCY_CONFLICT", 409, message);
}

export class RequestTable {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Throws `IDEMPOTENCY_CONFLICT` 409 when the key stands for something else. */
  async find(id: RequestId): Promise<KnownRequest | undefined> {
    const sql =
      "SELECT digest, turn, user_seq, outcome FROM chat_requests WHERE session = ? AND identity = ? AND request_key = ? AND created_at > ?";
    const row = await this.#store.get<{ digest: string; turn: string; user_seq: number; outcome: string | null }>(
      sql,
      id.session,
      id.identity,
      id.key,
      this.#now() - keptMs,
    );
    if (!row) return undefined;
    sameRequest(id, row.digest);
    const outcome = row.outcome === null ? undefined : (JSON.parse(row.outcome) as Outcome);
    return { turn: row.turn, userSeq: Number(row.user_seq), outcome };
  }

  async begin(query: Query, id: RequestId, turn: string, userSeq: number): Promise<void> {
    const sql = `INSERT INTO chat_requests (session, identity, request_key, digest, turn, user_seq, outcome, created_at)
      VALUES (?, ?, ?, ?, ?, ?, NULL, ?)
      ON CONFLICT (session, identity, request_key) DO UPDATE SET digest = excluded.digest, turn = excluded.turn,
      user_seq = excluded.user_seq, outcome = NULL, created_at = excluded.created_at`;
    await query.run(sql, id.session, id.identity, id.key, id.digest, turn, userSeq, this.#now());
  }

  async finish(query: Query, id: RequestId, outcome: Outcome): Promise<void> {
    const sql = "UPDATE chat_requests SET outcome = ? WHERE session = ? AND identity = ? AND request_key = ?";
    await query.run(sql, JSON.stringify(outcome), id.session, id.identity, id.key);
  }

  async purge(): Promise<void> {
    await this.#store.run("DELETE FROM chat_requests WHERE created_at <= ?", this.#now() - keptMs);
  }
}
