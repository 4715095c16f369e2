/**
 * One running turn: its id, its abort, what it has said so far, and whoever listens. It belongs to its session and goes
 * on when every listener has left.
 */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { cutText, GatewayError, type ToolCall, type TurnEvent, type TurnResult, type TurnRun } from "@chela/sdk";
import { stopping } from "../stopping.ts";
import { EventQueue } from "./event-queue.ts";
import { Step } from "./step.ts";

/** A model that never stops is stopped here: characters of one turn, reasoning included. */
const maxCharacters = 8_000_000;
/** Of the arguments or the output of one tool call, for those who watch. */
const maxToolText = 20_000;

export class LiveRun {
  readonly id = randomUUID();
  readonly session: string | null;
  readonly #abort = new AbortController();
  readonly #events = new EventQueue();
  readonly #joined = new Set<EventQueue>();
  /** Runs whose message was taken into this one: they see what happens here from now on. */
  readonly #followers = new Set<LiveRun>();
  /** Ends of waits that the abort ends. A listener of the signal for each of them would cost many times as much. */
  readonly #waits = new Set<(reason: unknown) => void>();
  #host: LiveRun | undefined;
  #failure: GatewayError | undefined;
  #begun = false;
  #userSeq = 0;
  #interrupted = false;
  #model: string | undefined;
  #said = "";
  #step = new Step();
  #characters = 0;

  constructor(session: string | null) {
    this.session = session;
    // Each tool of a round listens: many listeners are no leak here.
    setMaxListeners(0, this.#abort.signal);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the turn was stopped by us rather than by its caller, if it was. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** True when its caller stopped it before anything was stored: there is nothing to keep and nothing to tell. */
  get withdrawn(): boolean {
    return this.signal.aborted && !this.#failure && !this.#begun;
  }

  /** True when it was cut without anybody's wish to end it: it has no outcome, and a retry runs it again. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** The model that answers, once it does. */
  get model(): string | undefined {
    return this.#model;
  }

  /** The text of the model call that runs, as far as it came. */
  get partial(): string {
    return this.#step.text;
  }

  /** True when it answers messages of other runs, too. */
  get hears(): boolean {
    return this.#followers.size > 0;
  }

  /** True when its message was taken into another run, which answers it. */
  get isHeard(): boolean {
    return this.#host !== undefined;
  }

  /** Stops the turn, since its caller left or the gateway stops; what had arrived is kept. */
  interrupt(reason: string): void {
    // The other run has a caller of its own.
    if (this.#host) return;
    this.#interrupted ||= !this.signal.aborted;
    this.abort(reason);
  }

  /** Stops the turn because somebody asked for it; what had arrived is kept. */
  abort(reason: string): void {
    if (this.#host) this.#host.abort(reason);
    else this.#stop(new GatewayError("TURN_ABORTED", 499, `the turn was aborted: ${reason}`));
  }

  /** Stops the turn as failed. */
  fail(failure: GatewayError): void {
    this.#failure ??= failure;
    this.#stop(failure);
  }

  /** Settles with `work`, or rejects as soon as the turn is aborted, whatever `work` does about it. */
  orAborted<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waits = this.#waits;
      if (this.signal.aborted) reject(this.signal.reason);
      else waits.add(reject);
      work.then(
        (value) => {
          waits.delete(reject);
          resolve(value);
        },
        (error) => {
          waits.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** What the user said is stored: from now on the turn has a place in the history. `userSeq` is 0 where nothing was said. */
  begin(userSeq: number): void {
    this.#begun = true;
    this.#userSeq = userSeq;
  }

  /** The gateway stops. What was not stored may not look like a turn that was merely cut: it is refused. */
  stop(): void {
    if (this.#begun) this.interrupt("the gateway is stopping");
    else {
      // Its message may be on the way to the disk: a retry goes on with it.
      this.#interrupted ||= !this.signal.aborted;
      this.fail(stopping());
    }
  }

  answeredBy(model: string, turn = this.id): void {
    if (this.#model === undefined) this.#emit(this.#start(turn, model));
    this.#model = model;
  }

  /** A new model call begins: its text stands apart from what was said before. */
  nextStep(): void {
    this.#step = new Step();
  }

  /** Returns what may be passed on now: never half a surrogate pair. */
  text(delta: string): string {
    this.#count(delta);
    const isFirst = this.#step.text === "";
    const whole = this.#step.say(delta);
    if (whole === "") return "";
    if (isFirst && this.#said !== "") this.#emitText("\n\n");
    this.#emitText(whole);
    return whole;
  }

  reasoning(delta: string): void {
    this.#count(delta);
    this.#step.think(delta);
    this.#emit({ type: "reasoning", text: delta });
  }

  /** `text`: the arguments of a call that runs, the output of one that ran. */
  tool({ id, name }: Pick<ToolCall, "id" | "name">, state: "run" | "ok" | "failed", text: string): void {
    const shown = cutText(text, maxToolText, "…");
    const told = state === "run" ? { arguments: shown } : { output: shown };
    const event: TurnEvent = { type: "tool", id, name, state, ...told };
    this.#step.call(event);
    this.#emit(event);
  }

  /** The message of `other` is taken into this run: whoever listens to it hears the rest of this one. */
  hear(other: LiveRun, text: string, seq: number): void {
    other.#host = this;
    this.#followers.add(other);
    if (this.#model !== undefined) other.answeredBy(this.#model, this.id);
    this.#emit({ type: "steered", text, ...(seq > 0 && { seq }) });
  }

  end(): void {
    this.#events.end();
    for (const queue of this.#joined) queue.end();
    this.#joined.clear();
    this.#followers.clear();
  }

  /** What the first caller is given. */
  view(done: Promise<TurnResult>): TurnRun {
    return this.#viewOf(this.#events, done);
  }

  /** What a later caller of the same run is given: what was said so far, in all or in the model call that runs, then what follows. */
  join(done: Promise<TurnResult>, from: "turn" | "step" = "turn"): TurnRun {
    if (this.#host) return this.#host.join(done, from);
    const queue = new EventQueue();
    if (this.#model !== undefined) queue.push(this.#start(this.id, this.#model));
    const said = from === "turn" ? this.#said : this.#step.text;
    for (const event of this.#step.soFar(said)) queue.push(event);
    this.#joined.add(queue);
    return this.#viewOf(queue, done);
  }

  #start(turn: string, model: string): TurnEvent {
    return { type: "start", turn, model, ...(this.#userSeq > 0 && { seq: this.#userSeq }) };
  }

  #stop(reason: GatewayError): void {
    this.#abort.abort(reason);
    for (const leave of this.#waits) leave(this.signal.reason);
    this.#waits.clear();
  }

  #viewOf(events: EventQueue, done: Promise<TurnResult>): TurnRun {
    const id = () => this.#host?.id ?? this.id;
    return {
      get id() {
        return id();
      },
      events,
      done,
      abort: (reason) => this.abort(reason),
    };
  }

  #emitText(text: string): void {
    this.#said += text;
    this.#emit({ type: "text", text });
  }

  #emit(event: TurnEvent): void {
    this.#events.push(event);
    for (const queue of this.#joined) {
      if (queue.ended) this.#joined.delete(queue);
      else queue.push(event);
    }
    for (const run of this.#followers) run.#emit(event);
  }

  #count(delta: string): void {
    this.#characters += delta.length;
    if (this.#characters <= maxCharacters) return;
    throw new GatewayError("REPLY_TOO_LONG", 502, `the model did not stop after ${maxCharacters} characters`);
  }
}
