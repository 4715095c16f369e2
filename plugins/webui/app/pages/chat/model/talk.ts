/**
 * The session that is open: its stored messages, what was sent, what runs. Tells `change` when an entry comes, goes or is
 * replaced; while a turn runs, the turn itself tells what is new in it.
 */
import { call } from "../../../client/http.ts";
import { taken } from "./attachment.ts";
import { type Entry, EntryMaker } from "./entries.ts";
import { History } from "./history.ts";
import { LiveTurn } from "./live-turn.ts";
import type { Outbox, Outgoing } from "./outbox.ts";
import type { Frame } from "./wire.ts";

const mostKnown = 500;

export class Talk extends EventTarget {
  readonly session: string;
  readonly history: History;
  /** Loading, ready, or why it cannot be read. */
  state: "loading" | "ready" | Error = "loading";
  readonly #outbox: Outbox;
  readonly #maker = new EntryMaker();
  readonly #known = new Map<number, string>();
  #turns: readonly LiveTurn[] = [];
  /** Turns of a connection that broke: shown until the next one tells how things are. */
  #isStale = false;
  /** Answered, until their stored form is read. */
  #answered: readonly Outgoing[] = [];
  #catching: Promise<void> | undefined;

  constructor(session: string, outbox: Outbox) {
    super();
    this.session = session;
    this.history = new History(session);
    this.#outbox = outbox;
  }

  get isRunning(): boolean {
    return this.#turns.some(({ isRunning }) => isRunning) || this.waiting.length > 0;
  }

  /** Sent, and not yet begun. */
  get waiting(): readonly Outgoing[] {
    return this.#outbox.of(this.session).filter(({ error }) => error === undefined);
  }

  isKnown(turn: unknown): boolean {
    return this.#turns.some((one) => one.turn === turn);
  }

  async load(around?: number): Promise<void> {
    try {
      await (around === undefined ? this.history.loadNewest() : this.history.loadAround(around));
      this.state = "ready";
    } catch (error) {
      this.state = error instanceof Error ? error : new Error(String(error));
    }
    this.changed();
  }

  /** From the beginning, with what comes meanwhile. */
  async again(): Promise<void> {
    await this.load();
    await this.catchUp();
  }

  async more(end: "older" | "newer"): Promise<void> {
    await (end === "older" ? this.history.loadOlder() : this.history.loadNewer());
    this.changed();
  }

  entries(): readonly Entry[] {
    const stored = this.#maker.make(this.history.messages, this.#known);
    return this.history.atEnd ? [...stored, ...this.#tail()] : stored;
  }

  /** A frame of this session. */
  frame(frame: Frame): void {
    const { type, idempotencyKey: key } = frame;
    if (type === "chat_history") this.#append(frame);
    else if (type === "chat_resumed") this.#resumed(frame);
    else if (type === "chat_start") this.#begin(frame);
    else this.#turnOf(key)?.apply(frame);
    if (type === "chat_done" || type === "chat_error") this.#ended(frame);
  }

  /** What is shown as running may have ended: the next connection tells. */
  broken(): void {
    this.#isStale = true;
  }

  /** Reads what was stored since; one reading at a time, and one more for who asks meanwhile. */
  catchUp(): Promise<void> {
    const before = this.#catching;
    const next = (before ?? Promise.resolve()).then(async () => {
      // What is stored of a turn that runs is on show already.
      if (this.#turns.some(({ isRunning }) => isRunning) && !this.#isStale) return;
      await this.history.catchUp();
      this.#settle();
    });
    const settled = next.catch(() => undefined);
    this.#catching = settled;
    settled.then(() => {
      if (this.#catching === settled) this.#catching = undefined;
    });
    return settled;
  }

  /** Takes the session back: this message and all that follow are gone. Throws where its number means another one by now. */
  async rewind(seq: number, known = this.history.epoch): Promise<void> {
    const params = { session: this.session, seq, ...(known !== "" && { epoch: known }) };
    // The turn that runs there says its last word first.
    const { epoch } = await call<{ epoch: string }>("sessions.rewind", params, { timeout: 120_000 });
    this.#known.clear();
    this.#turns = [];
    this.#answered = [];
    this.history.cut(seq, epoch);
    if (this.history.messages.length === 0 && seq > 1) await this.history.loadNewest();
    this.changed();
  }

  changed(): void {
    this.dispatchEvent(new Event("change"));
  }

  #append({ messages = [] }: Frame): void {
    this.#dropStale();
    this.history.append(messages);
    this.#settle();
  }

  #resumed({ epoch = "", seq = 0 }: Frame): void {
    this.#dropStale();
    const isOther = this.history.epoch !== "" && (epoch !== this.history.epoch || seq < this.history.newest);
    this.history.epoch = epoch;
    if (isOther) void this.again();
    this.changed();
  }

  /** The first stream that tells of a turn is the one that is shown; others may tell of the same one. */
  #begin(frame: Frame): void {
    const { seq, idempotencyKey: key } = frame;
    if (seq !== undefined && key !== undefined && this.#outbox.find(key)) this.#learn(seq, key);
    const isOver = frame.seq !== undefined && frame.seq <= this.history.newest && frame.idempotencyKey !== undefined;
    if (this.isKnown(frame.turn) || (isOver && !this.#isJustStored(frame))) return;
    const others = this.#turns.filter(({ error }) => error === undefined);
    this.#turns = [...others, new LiveTurn(frame, frame.idempotencyKey)];
    this.changed();
  }

  /** A message whose turn begins after somebody else's made us read it; one that was answered long ago is not. */
  #isJustStored({ seq }: Frame): boolean {
    return seq === this.history.newest;
  }

  #turnOf(key: string | undefined): LiveTurn | undefined {
    return this.#turns.findLast(({ source, isRunning }) => isRunning && source === key);
  }

  #ended({ idempotencyKey: key, type, error = "", turn, seq }: Frame): void {
    const item = this.#outbox.find(key);
    if (item?.turn !== undefined) this.#answered = [...this.#answered, item];
    if (seq !== undefined && turn !== undefined) this.#learn(seq, `turn:${turn}`);
    const read = this.catchUp();
    if (type === "chat_error" && item !== undefined && item.turn === undefined)
      void read.then(() => this.#refused(item, error));
  }

  /** No model answered: the message itself may be stored all the same. */
  #refused(item: Outgoing, error: string): void {
    const last = this.history.messages.at(-1);
    if (last?.role !== "user" || taken(last.content).text !== item.text) return;
    const turn = new LiveTurn({ ok: false, type: "chat_start", turn: item.key }, undefined);
    turn.end(error);
    this.#turns = [...this.#turns, turn];
    this.#outbox.drop(item.key);
    this.changed();
  }

  /** What is on show keeps its id when it is stored, and with it what it has loaded. */
  #learn(seq: number, id: string): void {
    this.#known.set(seq, id);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
  }

  #dropStale(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#turns = [];
  }

  /** What ended is in the history now. A turn that failed is not, and stays on show. */
  #settle(): void {
    const { newest } = this.history;
    this.#turns = this.#turns.filter(
      ({ isRunning, error, seq = 0 }) => isRunning || error !== undefined || seq > newest,
    );
    for (const turn of this.#turns) if (turn.error !== undefined) turn.blocks = [];
    this.#answered = [];
    this.changed();
  }

  #tail(): Entry[] {
    const said = [
      ...this.#answered,
      ...this.#outbox.of(this.session).filter(({ key }) => !this.#answered.some((one) => one.key === key)),
    ];
    const left = new Set(this.#turns);
    const begun: Entry[] = [];
    const waiting: Entry[] = [];
    for (const item of said) {
      const own = [...left].find(({ source }) => source === item.key);
      const isStored = item.seq !== undefined && item.seq <= this.history.newest;
      const isHeard = item.turn !== undefined && own === undefined && this.isKnown(item.turn) && !this.#isOpening(item);
      if (!isStored && !isHeard) (item.turn === undefined ? waiting : begun).push(userEntry(item));
      if (own === undefined) continue;
      left.delete(own);
      begun.push(replyEntry(own));
    }
    return [...begun, ...[...left].map(replyEntry), ...waiting];
  }

  /** The message that began the turn, whoever tells of it; others were taken into it. */
  #isOpening(item: Outgoing): boolean {
    return this.#outbox.of(this.session).find(({ turn }) => turn === item.turn)?.key === item.key;
  }
}

function userEntry(item: Outgoing): Entry {
  return { kind: "user", id: item.key, text: item.text, files: item.media, at: item.at, outgoing: item };
}

function replyEntry(turn: LiveTurn): Entry {
  return { kind: "reply", id: turn.id, reply: turn };
}
