/**
 * `Idempotency-Key` on `/v1`: a request that is sent again with the same key gets the first one's reply, for a day. A reply
 * is kept when it succeeded and had come to its end; a repetition that arrives meanwhile waits for it.
 */
import { createHash } from "node:crypto";
import { GatewayError, type Migration, Reply, type RouteRequest, type Store } from "@chela/sdk";

const keptMs = 24 * 60 * 60 * 1000;
/** A longer reply is not kept: the request is run again. */
const maxChars = 4 * 1024 * 1024;

/** Headers that make another request of the same body. */
const chosen = ["x-openclaw-session-key", "x-openclaw-agent-id", "x-openclaw-model"] as const;

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE openai_requests (
        id TEXT NOT NULL PRIMARY KEY,
        digest TEXT NOT NULL,
        status INTEGER NOT NULL,
        headers TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at BIGINT NOT NULL
      )`,
      "CREATE INDEX openai_requests_by_age ON openai_requests (created_at)",
    ],
  },
];

interface Kept {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Running {
  readonly digest: string;
  /** Undefined: there is nothing to repeat. */
  readonly kept: Promise<Kept | undefined>;
}

export class Idempotency {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** What `work` answers, or what it answered to the same key; `named`: one that stands elsewhere than in the header. Throws `IDEMPOTENCY_KEY` 400, `IDEMPOTENCY_CONFLICT` 409. */
  run(request: RouteRequest, work: () => Promise<unknown>, named?: unknown): Promise<unknown> {
    const key = keyOf(request.headers["idempotency-key"]) ?? keyOf(named);
    return key === undefined ? work() : this.#once(request, key, work);
  }

  async #once(request: RouteRequest, key: string, work: () => Promise<unknown>): Promise<unknown> {
    const id = hash([request.identity.id, request.path, key]);
    const digest = hash([request.body, ...chosen.map((name) => request.headers[name])]);
    for (let running = this.#running.get(id); running; running = this.#running.get(id)) {
      assertSame(digest, running.digest);
      const kept = await running.kept;
      if (kept) return replay(kept);
    }
    return this.#first({ id, digest }, work);
  }

  async purge(): Promise<void> {
    await this.#store.run("DELETE FROM openai_requests WHERE created_at <= ?", this.#now() - keptMs);
  }

  async #first({ id, digest }: { id: string; digest: string }, work: () => Promise<unknown>): Promise<unknown> {
    let settle: (kept: Kept | undefined) => void = () => undefined;
    const running: Running = {
      digest,
      kept: new Promise((resolve) => {
        settle = resolve;
      }),
    };
    this.#running.set(id, running);
    const end = (kept: Kept | undefined) => {
      this.#running.delete(id);
      settle(kept);
    };
    try {
      const known = await this.#find(id, digest);
      if (known) {
        end(known);
        return replay(known);
      }
      const answer = await work();
      const reply = Reply.is(answer) ? answer : Reply.json(answer);
      return recorded(reply, async (body) => {
        const { status, headers } = reply;
        const kept = body === undefined || status >= 300 ? undefined : { status, headers, body };
        try {
          if (kept) await this.#keep(id, digest, kept);
        } finally {
          end(kept);
        }
      });
    } catch (error) {
      end(undefined);
      throw error;
    }
  }

  async #find(id: string, digest: string): Promise<Kept | undefined> {
    const sql = "SELECT digest, status, headers, body FROM openai_requests WHERE id = ? AND created_at > ?";
    const row = await this.#store.get<{ digest: string; status: number; headers: string; body: string }>(
      sql,
      id,
      this.#now() - keptMs,
    );
    if (!row) return undefined;
    assertSame(digest, row.digest);
    return { status: Number(row.status), headers: JSON.parse(row.headers), body: row.body };
  }

  async #keep(id: string, digest: string, { status, headers, body }: Kept): Promise<void> {
    const sql = `INSERT INTO openai_requests (id, digest, status, headers, body, created_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, status = excluded.status, headers = excluded.headers,
      body = excluded.body, created_at = excluded.created_at`;
    await this.#store.run(sql, id, digest, status, JSON.stringify(headers), body, this.#now());
  }
}

/** The reply, which tells its whole body once it has left: undefined when it was cut, is too long or is no text. */
async function recorded(reply: Reply, ended: (body: string | undefined) => Promise<void>): Promise<Reply> {
  const { body, status, headers } = reply;
  if (typeof body === "string" || body instanceof Uint8Array) {
    await ended(typeof body === "string" ? body : Buffer.from(body).toString("utf8"));
    return reply;
  }
  if (body === null || !(Symbol.asyncIterator in body)) {
    await ended(undefined);
    return reply;
  }
  return new Reply(tapped(body as AsyncIterable<string | Uint8Array>, ended), { status, headers });
}

/** An iterator by hand: a generator that nobody began would not hear that the client has left. */
function tapped(
  body: AsyncIterable<string | Uint8Array>,
  ended: (body: string | undefined) => Promise<void>,
): AsyncIterable<string | Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let text = "";
  let over: Promise<void> | undefined;
  const end = (whole: string | undefined) => {
    over ??= ended(whole);
    return over;
  };
  const next = async (): Promise<IteratorResult<string | Uint8Array>> => {
    try {
      const result = await iterator.next();
      if (result.done) await end(isWhole(text) ? text : undefined);
      else if (text.length <= maxChars)
        text += typeof result.value === "string" ? result.value : decoder.decode(result.value, { stream: true });
      return result;
    } catch (error) {
      await end(undefined);
      throw error;
    }
  };
  const leave = async (): Promise<IteratorResult<string | Uint8Array>> => {
    await end(undefined);
    return (await iterator.return?.()) ?? { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

function isWhole(text: string): boolean {
  return text.length <= maxChars && !/(?:^|\n)(?:data: \{"error":|event: (?:error|response\.failed)\n)/.test(text);
}

function replay({ status, headers, body }: Kept): Reply {
  const { "content-length": _, ...kept } = headers;
  return new Reply(body, { status, headers: { ...kept, "idempotent-replayed": "true" } });
}

function keyOf(value: unknown): string | undefined {
  const key: unknown = Array.isArray(value) ? value[0] : value;
  if ((key ?? "") === "") return undefined;
  if (typeof key === "string" && /^[\x20-\x7e]{1,200}$/.test(key)) return key;
  throw new GatewayError("IDEMPOTENCY_KEY", 400, "the idempotency key must have 1 to 200 printable ASCII characters");
}

function assertSame(digest: string, known: string): void {
  if (digest === known) return;
  const message = "this idempotency key was used with another request within the last 24 hours: take a new key";
  throw new GatewayError("IDEMPOTENCY_CONFLICT", 409, message);
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
