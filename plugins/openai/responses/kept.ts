/** Responses that are kept, so that a later request can name one as its past. Whoever made one, and admins, may see it. */
import { allows, GatewayError, type Identity, type Message, type Migration, type Query, type Store } from "@chela/sdk";

const keptMs = 30 * 24 * 60 * 60 * 1000;
/** Responses that may follow each other, and the characters of what was said in them. */
const maxChain = 1_000;
const maxChars = 50_000_000;

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE openai_responses (
        id TEXT NOT NULL PRIMARY KEY,
        identity TEXT NOT NULL,
        previous TEXT,
        input TEXT NOT NULL,
        reply TEXT NOT NULL,
        response TEXT NOT NULL,
        created_at BIGINT NOT NULL
      )`,
      "CREATE INDEX openai_responses_by_age ON openai_responses (created_at)",
    ],
  },
];

export interface KeptResponse {
  readonly id: string;
  readonly previous: string | undefined;
  /** What was said to the model in this request, without its past. */
  readonly input: readonly Message[];
  readonly reply: Message;
  /** As the client got it. */
  readonly response: unknown;
}

interface ChainRow {
  readonly previous: string | null;
  readonly input: string;
  readonly reply: string;
}

export class KeptResponses {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  async keep({ id, previous, input, reply, response }: KeptResponse, identity: Identity): Promise<void> {
    const sql = `INSERT INTO openai_responses (id, identity, previous, input, reply, response, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?)`;
    const texts = [input, reply, response].map((value) => JSON.stringify(value));
    await this.#store.run(sql, id, identity.id, previous ?? null, ...texts, this.#now());
  }

  /** The conversation up to and with a response. Throws 400 when one of it is not there. */
  async past(id: string, identity: Identity): Promise<readonly Message[]> {
    const turns: Message[][] = [];
    let chars = 0;
    for (let next: string | null = id; next !== null; ) {
      const row: ChainRow | undefined = await this.#find<ChainRow>("previous, input, reply", next, identity);
      if (!row) throw unknownPrevious(next);
      chars += row.input.length + row.reply.length;
      if (turns.length >= maxChain || chars > maxChars) break;
      turns.push([...(JSON.parse(row.input) as Message[]), JSON.parse(row.reply) as Message]);
      next = row.previous;
    }
    return turns.reverse().flat();
  }

  /** All that a response was made from. Throws 404. */
  async origin(id: string, identity: Identity): Promise<readonly Message[]> {
    if (!(await this.has(id, identity))) throw unknown(id);
    return (await this.past(id, identity)).slice(0, -1);
  }

  async has(id: string, identity: Identity): Promise<boolean> {
    return (await this.#find("id", id, identity)) !== undefined;
  }

  /** Throws 404. */
  async response(id: string, identity: Identity): Promise<unknown> {
    const row = await this.#find<{ response: string }>("response", id, identity);
    if (!row) throw unknown(id);
    return JSON.parse(row.response);
  }

  /** Throws 404. */
  async remove(id: string, identity: Identity): Promise<void> {
    if (!(await this.has(id, identity))) throw unknown(id);
    await this.#store.run("DELETE FROM openai_responses WHERE id = ?", id);
  }

  async purge(): Promise<void> {
    await this.#store.run("DELETE FROM openai_responses WHERE created_at <= ?", this.#now() - keptMs);
  }

  #find<R>(columns: string, id: string, identity: Identity): Promise<R | undefined> {
    const query: Query = this.#store;
    const sql = `SELECT ${columns} FROM openai_responses WHERE id = ? AND created_at > ?`;
    const since = this.#now() - keptMs;
    if (allows(identity, "admin")) return query.get<R>(sql, id, since);
    return query.get<R>(`${sql} AND identity = ?`, id, since, identity.id);
  }
}

function unknown(id: string): GatewayError {
  return new GatewayError("RESPONSE_UNKNOWN", 404, `Response with id '${id.slice(0, 100)}' not found.`, {
    param: "response_id",
  });
}

function unknownPrevious(id: string): GatewayError {
  const message = `Previous response with id '${id.slice(0, 100)}' not found.`;
  return new GatewayError("PREVIOUS_RESPONSE_NOT_FOUND", 400, message, { param: "previous_response_id" });
}
