/** What of a turn is written down, and when: the user's message before the model is asked, the rest as it becomes final. */
import type { NewMessage } from "@chela/sdk";
import type { KnownRequest, Outcome, RequestId, RequestTable } from "../sessions/request-table.ts";
import type { Also, SessionTable } from "../sessions/session-table.ts";
import type { LiveRun } from "./live-run.ts";
import { placed } from "./outcomes.ts";
import { failedRound, type OpenRound, type PartialTable } from "./partials.ts";

/** Where the user's message is. */
export interface Begun {
  /** It was in the history already. */
  readonly stored: boolean;
  /** Its sequence number; 0: there is none. */
  readonly seq: number;
  /** Others have spoken since. */
  readonly passed: boolean;
}

export interface Journal {
  /** Sequence number of the newest message that this turn stored; 0: none. */
  readonly seq: number;
  /** Durable when it resolves; only then may the model be asked. */
  begin(message: NewMessage | undefined): Promise<Begun>;
  /** Tools are about to run that may change something: durable when it resolves, and only then may they. */
  calling(round: OpenRound): Promise<void>;
  /** A round of tool calls with its results. */
  add(messages: readonly NewMessage[]): Promise<void>;
  /** The turn says something: from its second second on it is kept now and then. */
  saying(run: LiveRun): void;
  /** Another request is answered by this turn, too. */
  heard(request: RequestId | undefined): void;
  /**
   * The end of the turn, good or bad; without an outcome a retry runs it again. Resolves to the number of the newest message
   * that it stored; 0: none.
   */
  finish(messages: readonly NewMessage[], outcome?: Outcome): Promise<number>;
}

/** Of a call without a session nothing is kept. */
export const noJournal: Journal = {
  seq: 0,
  begin: async () => ({ stored: false, seq: 0, passed: false }),
  calling: async () => {},
  add: async () => {},
  saying: () => {},
  heard: () => {},
  finish: async () => 0,
};

export interface SessionJournalOptions {
  readonly session: string;
  readonly turn: string;
  readonly sessions: SessionTable;
  readonly requests: RequestTable;
  readonly partials: PartialTable;
  readonly request: RequestId | undefined;
  /** The same request, from before the process died. */
  readonly interrupted: KnownRequest | undefined;
}

function placedOutcome(outcome: Outcome, seq: number): Outcome {
  return "result" in outcome ? { result: placed(outcome.result, seq) } : outcome;
}

const keepEveryMs = 1_000;
const keepChars = 4_096;

export class SessionJournal implements Journal {
  readonly #options: SessionJournalOptions;
  readonly #requests: RequestId[] = [];
  /** Set once the user's message is stored: before that there is nothing to complete. */
  #begun = false;
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  #keptChars = 0;
  #keeping: Promise<void> | undefined;
  /** What was said or begun lies in the table of partial turns. */
  #kept = false;
  /** Its calls may have taken effect, its messages are not stored yet. */
  #round: OpenRound | undefined;
  /** Of an end that could not be stored, for the one that says so. */
  #unstored: readonly NewMessage[] = [];
  #saysSince = 0;
  #storing = false;

  constructor(options: SessionJournalOptions) {
    this.#options = options;
    if (options.request) this.#requests.push(options.request);
  }

  get seq(): number {
    return this.#seq;
  }

  async begin(message: NewMessage | undefined): Promise<Begun> {
    const { session, turn, sessions, requests, request, interrupted } = this.#options;
    const stored = message !== undefined && interrupted !== undefined;
    const last = stored ? await sessions.lastSaid(session) : undefined;
    const messages = message && !stored ? [message] : [];
    const userSeq = stored ? interrupted.userSeq : undefined;
    const also: Also | undefined = request && ((query, seq) => requests.begin(query, request, turn, userSeq ?? seq));
    if (messages.length > 0 || also) this.#seq = await sessions.append(session, messages, also);
    this.#begun = true;
    const seq = userSeq ?? (messages.length > 0 ? this.#seq : 0);
    return { stored, seq, passed: stored && last !== userSeq };
  }

  async calling(round: OpenRound): Promise<void> {
    const { session, turn, partials } = this.#options;
    this.#kept = true;
    await partials.begin({ turn, session, model: round.asked.model ?? "" }, round);
    this.#round = round;
  }

  async add(messages: readonly NewMessage[]): Promise<void> {
    await this.#append(messages);
  }

  saying(run: LiveRun): void {
    if (!this.#timer) {
      this.#saysSince = performance.now();
      this.#timer = setInterval(() => this.#keep(run), keepEveryMs);
      this.#timer.unref();
    } else if (
      run.partial.length - this.#keptChars >= keepChars &&
      performance.now() - this.#saysSince >= keepEveryMs
    ) {
      this.#keep(run);
    }
  }

  heard(request: RequestId | undefined): void {
    if (request) this.#requests.push(request);
  }

  async finish(messages: readonly NewMessage[], outcome?: Outcome): Promise<number> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#begun) return 0;
    const { requests } = this.#options;
    const done = outcome ? this.#requests : [];
    const also: Also = async (query, seq) => {
      const kept = placedOutcome(outcome as Outcome, said.length > 0 ? seq : 0);
      for (const request of done) await requests.finish(query, request, kept);
    };
    // The turn ended within that round: what it said last is what asked for the calls.
    const said = this.#round ? failedRound(this.#round) : [...this.#unstored, ...messages];
    this.#unstored = said;
    await this.#append(said, done.length > 0 ? also : undefined);
    this.#unstored = [];
    return said.length > 0 ? this.#seq : 0;
  }

  async #append(messages: readonly NewMessage[], also?: Also): Promise<void> {
    this.#storing = true;
    try {
      if (this.#keeping) await this.#keeping;
      await this.#store(messages, also);
    } finally {
      this.#storing = false;
    }
  }

  /** In one commit with the end of the partial turn that stood for it. */
  async #store(messages: readonly NewMessage[], also?: Also): Promise<void> {
    const { session, turn, sessions, partials } = this.#options;
    const clear: Also | undefined = this.#kept
      ? async (query, seq) => {
          await partials.remove(query, turn);
          await also?.(query, seq);
        }
      : also;
    if (messages.length === 0 && !clear) return;
    this.#seq = Math.max(this.#seq, await sessions.append(session, messages, clear));
    this.#kept = false;
    this.#round = undefined;
    this.#keptChars = 0;
  }

  #keep(run: LiveRun): void {
    const { session, turn, partials } = this.#options;
    const text = run.partial;
    if (this.#storing || this.#keeping || text === "" || text.length === this.#keptChars) return;
    this.#kept = true;
    this.#keptChars = text.length;
    const done = () => {
      this.#keeping = undefined;
    };
    // One that fails is tried again with more text; the turn itself stores what matters at its end.
    this.#keeping = partials.say({ turn, session, model: run.model ?? "" }, text).then(done, done);
  }
}
