/** A window on the stored messages of a session: without gaps, of bounded size, moved by loading at one end and dropping at the other. */
import { call } from "../../../client/http.ts";
import type { StoredMessage } from "./wire.ts";

interface Answer {
  readonly epoch?: string;
  readonly messages: readonly StoredMessage[];
}

const page = 100;
const most = 300;

export class History {
  readonly session: string;
  messages: readonly StoredMessage[] = [];
  epoch = "";
  /** The number of the newest message there is, whether it is in the window or not. */
  newest = 0;
  /** Nothing older than the window. */
  atStart = false;
  /** Of what is asked for last: an earlier answer that comes later is not for this window any more. */
  #asked = 0;

  constructor(session: string) {
    this.session = session;
  }

  /** Nothing newer than the window. */
  get atEnd(): boolean {
    return (this.messages.at(-1)?.seq ?? 0) >= this.newest;
  }

  async loadNewest(): Promise<void> {
    const asked = ++this.#asked;
    const newest = await this.#ask({ limit: page });
    if (asked === this.#asked) this.#begin(newest, newest);
  }

  /** The newest where there is no such message. */
  async loadAround(seq: number): Promise<void> {
    const asked = ++this.#asked;
    const [around, newest] = await Promise.all([this.#ask({ around: seq, limit: page }), this.#ask({ limit: page })]);
    if (asked === this.#asked) this.#begin(around.messages.length > 0 ? around : newest, newest);
  }

  async loadOlder(): Promise<void> {
    const [first] = this.messages;
    if (first === undefined || this.atStart) return;
    const { messages } = await this.#ask({ before: first.seq, limit: page });
    if (this.messages[0] !== first) return;
    this.atStart = messages.length === 0 || messages[0]?.seq === 1;
    this.messages = [...messages, ...this.messages].slice(0, most);
  }

  async loadNewer(): Promise<void> {
    const last = this.messages.at(-1);
    if (last === undefined || this.atEnd) return;
    const { messages } = await this.#ask({ after: last.seq, limit: page });
    if (this.messages.at(-1) !== last) return;
    // What was counted is gone meanwhile.
    if (messages.length === 0) this.newest = last.seq;
    this.append(messages);
  }

  /** What was stored since. False: the session is another one now, and was read anew. */
  async catchUp(): Promise<boolean> {
    const { epoch = "", messages } = await this.#ask({ after: this.newest, limit: page });
    if (this.epoch !== "" && epoch !== this.epoch) {
      await this.loadNewest();
      return false;
    }
    this.epoch = epoch;
    this.append(messages);
    if (messages.length === page) return this.catchUp();
    return true;
  }

  /** Messages that follow the newest; those that are there already are passed over. */
  append(messages: readonly StoredMessage[]): void {
    const wasAtEnd = this.atEnd;
    const last = this.messages.at(-1)?.seq ?? 0;
    const fresh = messages.filter(({ seq }) => seq > last);
    const isNext = wasAtEnd || (fresh[0] !== undefined && fresh[0].seq === last + 1);
    this.newest = Math.max(this.newest, messages.at(-1)?.seq ?? 0);
    if (!isNext || fresh.length === 0) return;
    const all = [...this.messages, ...fresh];
    if (all.length > most) this.atStart = false;
    this.messages = all.slice(-most);
  }

  /** These and all later ones are gone. */
  cut(seq: number, epoch: string): void {
    this.messages = this.messages.filter((message) => message.seq < seq);
    this.newest = Math.min(this.newest, seq - 1);
    this.epoch = epoch;
    if (this.messages.length === 0) this.atStart = seq <= 1;
  }

  #begin({ epoch = "", messages }: Answer, newest: Answer): void {
    this.epoch = epoch;
    this.messages = messages;
    this.atStart = messages.length === 0 || messages[0]?.seq === 1;
    this.newest = Math.max(newest.messages.at(-1)?.seq ?? 0, messages.at(-1)?.seq ?? 0);
  }

  #ask(window: Readonly<Record<string, number>>): Promise<Answer> {
    return call<Answer>("chat.history", { session: this.session, ...window });
  }
}
