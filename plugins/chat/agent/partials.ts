/** What running turns have said so far, for the case that the process dies: written now and then, turned into messages of the history by the next start. */
import type { Logger, Query, Store } from "@chela/sdk";
import type { SessionTable } from "../sessions/session-table.ts";

export interface PartialText {
  readonly turn: string;
  readonly session: string;
  readonly text: string;
  readonly model: string;
}

export class PartialTable {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async put({ turn, session, text, model }: PartialText): Promise<void> {
    const sql = `INSERT INTO chat_partials (turn, session, text, model) VALUES (?, ?, ?, ?)
      ON CONFLICT (turn) DO UPDATE SET text = excluded.text, model = excluded.model`;
    // JSON keeps what SQLite's text would not.
    await this.#store.run(sql, turn, session, JSON.stringify(text), model);
  }

  async remove(query: Query, turn: string): Promise<void> {
    await query.run("DELETE FROM chat_partials WHERE turn = ?", turn);
  }

  /** Only while no turn runs: whatever is there was left by a process that died. */
  async recover(sessions: SessionTable, log: Pick<Logger, "warn">): Promise<void> {
    const rows = await this.#store.all<Record<keyof PartialText, string>>(
      "SELECT turn, session, text, model FROM chat_partials",
    );
    for (const { turn, session, text, model } of rows) {
      try {
        const content = JSON.parse(text) as string;
        const message = { role: "assistant", content, state: "partial", model } as const;
        await sessions.append(session, [message], (query) => this.remove(query, turn));
      } catch (error) {
        log.warn(
          { error, session, turn },
          "what a turn had said before the process died could not be put into the history",
        );
      }
    }
  }
}
