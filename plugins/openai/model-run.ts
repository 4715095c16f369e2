/** One call of a named model in the form of a turn, so that both leave by the same way. */
import { randomUUID } from "node:crypto";
import type { ModelCaller, ModelEvent, ModelRequest, Providers, TurnEvent, TurnResult, TurnRun } from "@chela/sdk";

export interface ModelAsk {
  readonly request: ModelRequest;
  readonly caller: ModelCaller;
  readonly signal: AbortSignal;
}

/** The call begins with the first look at `events` or `done`. */
export function modelRun(providers: Pick<Providers, "stream">, { request, caller, signal }: ModelAsk): TurnRun {
  return new ModelRun(randomUUID(), (abort) =>
    providers.stream(request, AbortSignal.any([signal, abort]), caller)[Symbol.asyncIterator](),
  );
}

class ModelRun implements TurnRun {
  readonly id: string;
  readonly #open: (abort: AbortSignal) => AsyncIterator<ModelEvent>;
  readonly #abort = new AbortController();
  #stream: AsyncIterator<ModelEvent> | undefined;
  #result: TurnResult | undefined;

  constructor(id: string, open: (abort: AbortSignal) => AsyncIterator<ModelEvent>) {
    this.id = id;
    this.#open = open;
  }

  readonly events: AsyncIterable<TurnEvent> = { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };

  get done(): Promise<TurnResult> {
    return this.#rest();
  }

  abort(reason: string): void {
    this.#abort.abort(new Error(reason));
  }

  async #rest(): Promise<TurnResult> {
    while (!this.#result) await this.#next();
    return this.#result;
  }

  async #next(): Promise<IteratorResult<TurnEvent>> {
    if (this.#result) return { done: true, value: undefined };
    this.#stream ??= this.#open(this.#abort.signal);
    for (;;) {
      const { done, value } = await this.#stream.next();
      if (done) throw new Error("the model's stream ended without a reply");
      if (value.type === "start") return { done: false, value: { type: "start", turn: this.id, model: value.model } };
      if (value.type === "text" || value.type === "reasoning") return { done: false, value };
      if (value.type !== "done") continue;
      const { text, model, usage, stop, toolCalls, reasoning } = value.reply;
      this.#result = { turn: this.id, text, model, usage, stop, toolCalls, ...(reasoning && { reasoning }) };
      return { done: true, value: undefined };
    }
  }
}
