/** The event bus: a bounded memory with sequence numbers, and listeners that cannot hurt each other. */
import type { Events, GatewayEvent } from "@chela/sdk";

const remembered = 1000;

export class EventBus implements Events {
  readonly #ring: GatewayEvent[] = [];
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  readonly #now: () => number;
  readonly #fault: (error: unknown) => void;
  #seq = 0;

  constructor(now: () => number, fault: (error: unknown) => void) {
    this.#now = now;
    this.#fault = fault;
  }

  publish(type: string, payload: Readonly<Record<string, unknown>>): void {
    this.#seq += 1;
    const event: GatewayEvent = { seq: this.#seq, at: this.#now(), type, payload };
    this.#ring.push(event);
    if (this.#ring.length > remembered) this.#ring.shift();
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#fault(error);
      }
    }
  }

  since(seq: number): { events: readonly GatewayEvent[]; gap: boolean } {
    const oldest = this.#ring[0]?.seq ?? this.#seq + 1;
    return { events: this.#ring.filter((event) => event.seq > seq), gap: seq + 1 < oldest || seq > this.#seq };
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  last(): number {
    return this.#seq;
  }
}
