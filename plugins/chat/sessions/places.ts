/** Where sessions were found to lie when they were last written to. Bounded: the one that was not written to for the longest time goes first. */
import type { Place } from "./session-rows.ts";

const rememberedSessions = 10_000;

export class Places {
  readonly #places = new Map<string, Place>();

  get(key: string): Place | undefined {
    return this.#places.get(key);
  }

  set(key: string, place: Place): void {
    this.#places.delete(key);
    this.#places.set(key, place);
    if (this.#places.size <= rememberedSessions) return;
    const [oldest] = this.#places.keys();
    if (oldest !== undefined) this.#places.delete(oldest);
  }

  delete(key: string): void {
    this.#places.delete(key);
  }
}
