/**
 * The events of a turn on their way to one listener. Each one is handed over as it comes; when the listener lags behind,
 * text joins the text that waits, so what is kept never exceeds the reply. Nothing is kept for a listener that left.
 */
import type { TurnEvent } from "@chela/sdk";

const keptApart = 256;

export class EventQueue implements AsyncIterable<TurnEvent> {
  #waiting: TurnEvent[] = [];
  #deliver: ((result: IteratorResult<TurnEvent>) => void) | undefined;
  #ended = false;

  /** Nothing is taken any more: the turn is over, or the listener left. */
  get ended(): boolean {
    return this.#ended;
  }

  push(event: TurnEvent): void {
    if (this.#ended) return;
    if (this.#deliver) {
      const deliver = this.#deliver;
      this.#deliver = undefined;
      deliver({ value: event, done: false });
      return;
    }
    if (this.#waiting.length < keptApart || !this.#join(event)) this.#waiting.push(event);
  }

  /** What waits is still delivered. */
  end(): void {
    this.#ended = true;
    this.#deliver?.({ value: undefined, done: true });
    this.#deliver = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<TurnEvent> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.#waiting = [];
        this.end();
        return { value: undefined, done: true };
      },
    };
  }

  #next(): Promise<IteratorResult<TurnEvent>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#deliver = resolve;
    });
  }

  #join(event: TurnEvent): boolean {
    if (event.type !== "text" && event.type !== "reasoning") return false;
    const index = this.#waiting.findLastIndex(({ type }) => type === event.type);
    const earlier = this.#waiting[index];
    if (earlier?.type !== event.type) return false;
    this.#waiting[index] = { type: event.type, text: earlier.text + event.text };
    return true;
  }
}
