/**
 * What running turns have said and begun so far, for the case that the process dies: written now and then and before tools
 * run that may change something, turned into messages of the history by the next start.
 */
import { randomUUID } from "node:crypto";
import type { Logger, Message, NewMessage, Query, Store } from "@chela/sdk";
import type { SessionTable } from "../sessions/session-table.ts";

export interface PartialTurn {
  readonly turn: string;
  readonly session: string;
  readonly model: string;
}

/** A round of tool calls that is under way. */
export interface OpenRound {
  /** What asked for the calls. */
  readonly asked: NewMessage;
  /** Results so far, in the order of the calls: it grows while the round goes on. */
  readonly answers: readonly Message[];
  /** Calls that were begun, those with results included. */
  readonly begun: number;
}

interface PartialRow extends PartialTurn {
  readonly text: string;
  readonly round: string | null;
  readonly owner: string;
}

const cutOff =
  "[gateway: the gateway was stopped while this ran. Whether it took effect is not known: look before you do it again.]";
const notBegun = "[gateway: not run, the gateway was stopped before.]";
const failedBefore = "[gateway: not run, the turn failed before.]";

export class PartialTable {
  readonly #store: Store;
  /** Says of a row that a turn of this instance has written it. */
  readonly #owner = `${processMark()} ${randomUUID()}`;

  constructor(store: Store) {
    this.#store = store;
  }

  async say({ turn, session, model }: PartialTurn, text: string): Promise<void> {
    const sql = `INSERT INTO chat_partials (turn, session, text, model, owner) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (turn) DO UPDATE SET text = excluded.text, model = excluded.model`;
    // JSON keeps what SQLite's text would not.
    await this.#store.run(sql, turn, session, JSON.stringify(text), model, this.#owner);
  }

  async begin({ turn, session, model }: PartialTurn, round: OpenRound): Promise<void> {
    const sql = `INSERT INTO chat_partials (turn, session, text, model, owner, round) VALUES (?, ?, '""', ?, ?, ?)
      ON CONFLICT (turn) DO UPDATE SET round = excluded.round`;
    await this.#store.run(sql, turn, session, model, this.#owner, JSON.stringify(round));
  }

  /** A session has another key now; without `to` it is gone, and what its turns could not store goes with it. */
  async move(query: Query, session: string, to: string | undefined): Promise<void> {
    if (to === undefined) await query.run("DELETE FROM chat_partials WHERE session = ?", session);
    else await query.run("UPDATE chat_partials SET session = ? WHERE session = ?", to, session);
  }

  async remove(query: Query, turn: string): Promise<void> {
    await query.run("DELETE FROM chat_partials WHERE turn = ?", turn);
  }

  /** What another process has left, which must be dead; with `all` also what other instances in this one have, which have ended. */
  async recover(sessions: SessionTable, log: Pick<Logger, "warn">, all: boolean): Promise<void> {
    const own = all ? this.#owner : `${processMark()} `;
    const rows = await this.#store.all<PartialRow>(
      "SELECT turn, session, text, model, round, owner FROM chat_partials",
    );
    for (const row of rows) {
      if (row.owner.startsWith(own)) continue;
      const { turn, session } = row;
      try {
        await sessions.append(session, messagesOf(row), (query) => this.remove(query, turn));
      } catch (error) {
        log.warn(
          { error, session, turn },
          "what a turn had said before the process died could not be put into the history",
        );
      }
    }
  }
}

/** The same in all of one process, another one in every other. */
function processMark(): string {
  return `${process.pid}@${performance.timeOrigin}`;
}

function messagesOf({ text, model, round }: PartialRow): NewMessage[] {
  if (round === null) return [{ role: "assistant", content: JSON.parse(text) as string, state: "partial", model }];
  return roundMessages(JSON.parse(round) as OpenRound, notBegun);
}

/** A round whose turn failed before its results could be stored. */
export function failedRound(round: OpenRound): NewMessage[] {
  return roundMessages(round, failedBefore);
}

function roundMessages({ asked, answers, begun }: OpenRound, otherwise: string): NewMessage[] {
  const calls = asked.toolCalls ?? [];
  const results = calls.map(
    ({ id }, index): NewMessage =>
      answers[index] ?? {
        role: "tool",
        content: index < begun ? cutOff : otherwise,
        toolCallId: id,
        state: "failed",
      },
  );
  return [asked, ...results];
}
