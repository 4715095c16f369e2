/** The tables of this plugin and the way between a message and its row. A row that cannot be read harms no other. */
import type { ContentPart, Message, Migration, NewMessage, SqlValue, StoredMessage, ToolCall, Usage } from "@chela/sdk";
import { frozenCopy } from "../frozen.ts";

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      "CREATE TABLE chat_sessions (key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, created_at BIGINT NOT NULL)",
      `CREATE TABLE chat_messages (
        session TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at BIGINT NOT NULL,
        role TEXT NOT NULL,
        content TEXT NOT NULL,
        tool_calls TEXT,
        tool_call_id TEXT,
        reasoning TEXT,
        state TEXT NOT NULL,
        model TEXT,
        usage_json TEXT,
        PRIMARY KEY (session, seq)
      )`,
      `CREATE TABLE chat_requests (
        session TEXT NOT NULL,
        identity TEXT NOT NULL,
        request_key TEXT NOT NULL,
        digest TEXT NOT NULL,
        turn TEXT NOT NULL,
        user_seq INTEGER NOT NULL,
        outcome TEXT,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (session, identity, request_key)
      )`,
      "CREATE INDEX chat_requests_by_age ON chat_requests (created_at)",
    ],
  },
  {
    // `log` is the name under which the messages of a session lie, where that is not its key; `indexed` how far the
    // search has come; `chat_removed` what is still to be emptied.
    version: 2,
    statements: [
      "ALTER TABLE chat_sessions ADD COLUMN title TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE chat_sessions ADD COLUMN log TEXT",
      "ALTER TABLE chat_sessions ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0",
      "CREATE UNIQUE INDEX chat_sessions_by_log ON chat_sessions (log) WHERE log IS NOT NULL",
      "CREATE TABLE chat_removed (log TEXT NOT NULL PRIMARY KEY)",
    ],
  },
  {
    version: 3,
    statements: [
      "ALTER TABLE chat_sessions ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0",
      `UPDATE chat_sessions SET used_at = COALESCE((SELECT m.at FROM chat_messages m
        WHERE m.session = COALESCE(chat_sessions.log, chat_sessions.key) ORDER BY m.seq DESC LIMIT 1), created_at)`,
      "CREATE INDEX chat_sessions_by_use ON chat_sessions (used_at DESC, key)",
    ],
  },
  {
    // While the epoch of a session is the same, a number that was given to a message means this message.
    version: 4,
    statements: [
      "ALTER TABLE chat_sessions ADD COLUMN epoch TEXT NOT NULL DEFAULT ''",
      "UPDATE chat_sessions SET epoch = CAST(created_at AS TEXT)",
    ],
  },
];

/** Of `chat_messages`. */
export const messageColumns =
  "session, seq, at, role, content, tool_calls, tool_call_id, reasoning, state, model, usage_json";
const places = `(${messageColumns.split(", ").fill("?").join(", ")})`;

export function insertMessages(count: number): string {
  return `INSERT INTO chat_messages (${messageColumns}) VALUES ${Array.from({ length: count }, () => places).join(", ")}`;
}

/** Everything but the session, for `toStored`. */
export const selectMessages =
  "SELECT seq, at, role, content, tool_calls, tool_call_id, reasoning, state, model, usage_json FROM chat_messages";

/** Only what a model is shown, for `toMessage`: read at every turn. */
export const selectContext = "SELECT seq, role, content, tool_calls, tool_call_id FROM chat_messages";

export type ContextRow = Pick<MessageRow, "seq" | "role" | "content" | "tool_calls" | "tool_call_id">;

export interface MessageRow {
  readonly seq: number;
  readonly at: number;
  readonly role: string;
  readonly content: string;
  readonly tool_calls: string | null;
  readonly tool_call_id: string | null;
  readonly reasoning: string | null;
  readonly state: string;
  readonly model: string | null;
  readonly usage_json: string | null;
}

/** A message that was said before it is stored. */
export type DatedMessage = NewMessage & { readonly at?: number };

/** JSON keeps what SQLite's text would not: NUL characters and halves of surrogate pairs. */
export function rowValues(session: string, seq: number, now: number, message: DatedMessage): SqlValue[] {
  const { at = now, role, content, toolCalls, toolCallId, reasoning, state = "complete", model, usage } = message;
  return [
    session,
    seq,
    at,
    role,
    JSON.stringify(content),
    toolCalls?.length ? JSON.stringify(toolCalls) : null,
    toolCallId ?? null,
    reasoning ? JSON.stringify(reasoning) : null,
    state,
    model ?? null,
    usage ? JSON.stringify(usage) : null,
  ];
}

/** A message and its place in the session. */
export type SequencedMessage = Message & { readonly seq: number };

/** What the store would give of it as the message number `seq`, for `toMessage`. */
export function shown({ role, content, toolCalls, toolCallId }: NewMessage, seq: number): SequencedMessage {
  if (typeof content === "string" && !toolCalls?.length && toolCallId === undefined) return { role, content, seq };
  return {
    role,
    content: typeof content === "string" ? content : frozenCopy(content),
    ...(toolCalls?.length && { toolCalls: frozenCopy(toolCalls) }),
    ...(toolCallId !== undefined && { toolCallId }),
    seq,
  };
}

export function toStored(row: MessageRow): StoredMessage {
  const usage = row.usage_json === null ? undefined : (parsed(row.usage_json) as Usage | undefined);
  const reasoning = row.reasoning === null ? undefined : String(parsed(row.reasoning) ?? row.reasoning);
  return {
    seq: Number(row.seq),
    at: Number(row.at),
    ...toMessage(row),
    ...(reasoning !== undefined && { reasoning }),
    state: row.state as StoredMessage["state"],
    ...(row.model !== null && { model: row.model }),
    ...(usage && { usage }),
  };
}

export function toMessage(row: Omit<ContextRow, "seq">): Message {
  const toolCalls = row.tool_calls === null ? undefined : (parsed(row.tool_calls) as readonly ToolCall[] | undefined);
  return {
    role: row.role as Message["role"],
    content: (parsed(row.content) as string | readonly ContentPart[] | undefined) ?? row.content,
    ...(toolCalls && { toolCalls }),
    ...(row.tool_call_id !== null && { toolCallId: row.tool_call_id }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
