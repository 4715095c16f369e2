/**
 * The audit: one row per tool call, the denied ones included. Rows wait in memory for at most a second and are written
 * together; a call never waits for the disk. What waits when the database goes is written into the one that comes.
 */
import { type Migration, messageOf, type Store, type ToolRecord } from "@chela/sdk";
import { keptArguments, maskedLine } from "./mask.ts";

/** One row, as readers get it. */
export interface AuditRow {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly tool: string;
  readonly owner: string;
  readonly risk: string;
  readonly identity: string;
  readonly session: string | null;
  readonly agent: string;
  readonly turn: string;
  readonly origin: string;
  readonly call: string;
  /** Masked, and cut when long. */
  readonly arguments: string;
  /** Of the arguments as they came, where `arguments` is not the same text. */
  readonly argumentsHash: string;
  readonly outcome: string;
  /** Why it failed or was denied; empty for what went well. */
  readonly detail: string;
  readonly ms: number;
}

export interface AuditQuery {
  readonly limit?: number | undefined;
  readonly tool?: string | undefined;
  readonly session?: string | undefined;
  readonly identity?: string | undefined;
  readonly outcome?: string | undefined;
  /** Rows older than this id. */
  readonly before?: number | undefined;
}

const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE tool_audit (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, tool TEXT NOT NULL, owner TEXT NOT NULL, risk TEXT NOT NULL,
        identity TEXT NOT NULL, session TEXT, agent TEXT NOT NULL, turn TEXT NOT NULL, origin TEXT NOT NULL,
        call TEXT NOT NULL, arguments TEXT NOT NULL, arguments_hash TEXT NOT NULL, outcome TEXT NOT NULL,
        detail TEXT NOT NULL, ms REAL NOT NULL)`,
      "CREATE INDEX tool_audit_at ON tool_audit (at)",
      "CREATE INDEX tool_audit_session ON tool_audit (session, id)",
    ],
  },
];

const columns =
  "id, at, tool, owner, risk, identity, session, agent, turn, origin, call, arguments, arguments_hash AS argumentsHash, outcome, detail, ms";
const insert = `INSERT INTO tool_audit (at, tool, owner, risk, identity, session, agent, turn, origin, call, arguments,
  arguments_hash, outcome, detail, ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const maxBuffered = 10_000;
const maxDetail = 500;

type Fresh = Omit<AuditRow, "id">;

export class AuditBook {
  readonly #store: () => Store | undefined;
  readonly #warn: (fields: Record<string, unknown>, message: string) => void;
  #buffer: Fresh[] = [];
  #lost = 0;
  /** Why rows wait; empty when they do not. Told once, not at every attempt. */
  #trouble = "";
  /** Whose table is made. */
  readonly #ready = new WeakMap<Store, Promise<void>>();
  /** Writes run one after another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: () => Store | undefined, warn: (fields: Record<string, unknown>, message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  /** Never waits and never throws. */
  add(record: ToolRecord, now = Date.now()): void {
    if (this.#buffer.length >= maxBuffered) {
      this.#buffer.shift();
      this.#lost += 1;
    }
    this.#buffer.push(rowOf(record, now));
  }

  state(): { waiting: number; lost: number; reason: string } {
    return { waiting: this.#buffer.length, lost: this.#lost, reason: this.#trouble };
  }

  /** Writes what waits; resolves when it is durable. What cannot be written now waits on. */
  flush(): Promise<void> {
    const work = this.#queue.then(() => this.#write());
    this.#queue = work.catch(() => undefined);
    return work;
  }

  /** Newest first. */
  async list(query: AuditQuery): Promise<readonly AuditRow[]> {
    const store = this.#store();
    if (!store) return [];
    await this.flush();
    await this.#open(store);
    const filters = (["tool", "session", "identity", "outcome"] as const).filter((key) => query[key] !== undefined);
    const values = filters.map((key) => query[key] as string);
    const where = [...filters.map((key) => `${key} = ?`), ...(query.before === undefined ? [] : ["id < ?"])];
    const sql = `SELECT ${columns} FROM tool_audit ${where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""} ORDER BY id DESC LIMIT ?`;
    const before = query.before === undefined ? [] : [query.before];
    return store.all<AuditRow & Record<string, never>>(sql, ...values, ...before, query.limit ?? 50);
  }

  /** Forgets rows that are too old or too many. */
  async prune(retentionDays: number, maxRows: number, now = Date.now()): Promise<void> {
    const store = this.#store();
    if (!store) return;
    await this.#open(store);
    await store.run("DELETE FROM tool_audit WHERE at < ?", now - retentionDays * 86_400_000);
    const oldest = await store.get<{ id: number }>(
      "SELECT id FROM tool_audit ORDER BY id DESC LIMIT 1 OFFSET ?",
      maxRows - 1,
    );
    if (oldest) await store.run("DELETE FROM tool_audit WHERE id < ?", oldest.id);
  }

  async #write(): Promise<void> {
    const store = this.#store();
    if (!store || this.#buffer.length === 0) return;
    const rows = this.#buffer;
    this.#buffer = [];
    try {
      await this.#open(store);
      await store.transaction(async (query) => {
        for (const row of rows) await query.run(insert, ...valuesOf(row));
      });
    } catch (error) {
      this.#buffer = [...rows, ...this.#buffer].slice(-maxBuffered);
      if (this.#trouble === "")
        this.#warn(
          { error, ...this.state() },
          "the audit of tool calls cannot be written; it is tried again and again",
        );
      this.#trouble = messageOf(error);
      throw error;
    }
    this.#trouble = "";
  }

  /** The table is made when it is first needed; a failure is tried again. */
  #open(store: Store): Promise<void> {
    const known = this.#ready.get(store);
    if (known) return known;
    const ready = store.migrate("tools", migrations).catch((error: unknown) => {
      this.#ready.delete(store);
      throw error;
    });
    this.#ready.set(store, ready);
    return ready;
  }
}

function rowOf(record: ToolRecord, now: number): Fresh {
  const { id, tool, owner, risk, turn, outcome, output, ms } = record;
  const { text, hash } = keptArguments(record.arguments);
  return {
    at: Math.round(now - ms),
    tool,
    owner,
    risk,
    identity: turn.identity.id,
    session: turn.session,
    agent: turn.agent,
    turn: turn.id,
    origin: turn.origin ?? "agent",
    call: id,
    arguments: text,
    argumentsHash: hash,
    outcome,
    detail: outcome === "ok" ? "" : maskedLine(output.slice(0, maxDetail)),
    ms: Math.round(ms * 10) / 10,
  };
}

function valuesOf(row: Fresh) {
  const { at, tool, owner, risk, identity, session, agent, turn, origin, call, argumentsHash, outcome, detail, ms } =
    row;
  return [
    at,
    tool,
    owner,
    risk,
    identity,
    session,
    agent,
    turn,
    origin,
    call,
    row.arguments,
    argumentsHash,
    outcome,
    detail,
    ms,
  ] as const;
}
