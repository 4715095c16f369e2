/**
 * The event bus: a bounded memory with sequence numbers, and listeners that cannot hurt each other. Every listener sees
 * the events in their order, also those that listeners publish.
 */
import type { Events, GatewayEvent } from "@chela/sdk";

const remembered = 1000;
/** Events that listeners publish in answer to one event, and to those. */
const mostInAnswer = 1000;

export class EventBus implements Events {
  readonly #ring: GatewayEvent[] = [];
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  readonly #now: () => number;
  readonly #fault: (error: unknown) => void;
  readonly #undelivered: GatewayEvent[] = [];
  #delivering = false;
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
    this.#undelivered.push(event);
    if (!this.#delivering) this.#deliver();
  }

  #deliver(): void {
    this.#delivering = true;
    let budget = mostInAnswer;
    for (let event = this.#undelivered.shift(); event; event = this.#undelivered.shift()) {
      for (const listener of [...this.#listeners]) this.#tell(listener, event);
      budget -= 1;
      if (budget > 0 || this.#undelivered.length === 0) continue;
      this.#undelivered.length = 0;
      this.#fault(
        new Error(`listeners answer events with events without end, the last one "${event.type}"; the rest is dropped`),
      );
    }
    this.#delivering = false;
  }

  #tell(listener: (event: GatewayEvent) => void, event: GatewayEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#fault(error);
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
