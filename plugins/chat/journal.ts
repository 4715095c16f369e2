/** What of a turn is written down, and when: the user's message before the model is asked, the rest as it becomes final. */
import type { NewMessage } from "@chela/sdk";
import type { KnownRequest, Outcome, RequestId, RequestTable } from "./request-table.ts";
import type { Also, SessionTable } from "./session-table.ts";

export interface Journal {
  /** Durable when it resolves; only then may the model be asked. True: the message was in the history already. */
  begin(message: NewMessage | undefined): Promise<boolean>;
  /** A round of tool calls with its results. */
  add(messages: readonly NewMessage[]): Promise<void>;
  /** The end of the turn, good or bad; without an outcome a retry runs it again. */
  finish(messages: readonly NewMessage[], outcome?: Outcome): Promise<void>;
}

/** Of a call without a session nothing is kept. */
export const noJournal: Journal = {
  begin: async () => false,
  add: async () => {},
  finish: async () => {},
};

export interface SessionJournalOptions {
  readonly session: string;
  readonly turn: string;
  readonly sessions: SessionTable;
  readonly requests: RequestTable;
  readonly request: RequestId | undefined;
  /** The same request, from before the process died. */
  readonly interrupted: KnownRequest | undefined;
}

export class SessionJournal implements Journal {
  readonly #options: SessionJournalOptions;
  /** Set once the user's message is stored: before that there is nothing to complete. */
  #begun = false;

  constructor(options: SessionJournalOptions) {
    this.#options = options;
  }

  async begin(message: NewMessage | undefined): Promise<boolean> {
    const { session, turn, sessions, requests, request, interrupted } = this.#options;
    const stored = message !== undefined && (await this.#isStored());
    const messages = message && !stored ? [message] : [];
    const userSeq = stored ? interrupted?.userSeq : undefined;
    const also: Also | undefined = request && ((query, seq) => requests.begin(query, request, turn, userSeq ?? seq));
    if (messages.length > 0 || also) await sessions.append(session, messages, also);
    this.#begun = true;
    return stored;
  }

  async add(messages: readonly NewMessage[]): Promise<void> {
    await this.#options.sessions.append(this.#options.session, messages);
  }

  async finish(messages: readonly NewMessage[], outcome?: Outcome): Promise<void> {
    if (!this.#begun) return;
    const { session, sessions, requests, request } = this.#options;
    const also: Also | undefined = request && outcome && ((query) => requests.finish(query, request, outcome));
    if (messages.length > 0 || also) await sessions.append(session, messages, also);
  }

  /** A run that died left the user's message, and perhaps rounds of tools: nobody has spoken since, so none is written twice. */
  async #isStored(): Promise<boolean> {
    const { session, sessions, interrupted } = this.#options;
    return interrupted !== undefined && (await sessions.lastSaid(session)) === interrupted.userSeq;
  }
}
