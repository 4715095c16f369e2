/** A small map that this browser remembers: so many entries, the one set longest ago goes first. */
import { remember, remembered } from "./storage.ts";

export class Memory<T> {
  readonly #name: string;
  readonly #most: number;

  constructor(name: string, most = 200) {
    this.#name = name;
    this.#most = most;
  }

  get(key: string): T | undefined {
    return this.all().get(key);
  }

  /** undefined forgets. */
  set(key: string, value: T | undefined): void {
    // Read each time: another tab may have written meanwhile.
    const all = this.all();
    all.delete(key);
    if (value !== undefined) all.set(key, value);
    remember(this.#name, JSON.stringify([...all].slice(-this.#most)));
  }

  all(): Map<string, T> {
    try {
      return new Map(JSON.parse(remembered(this.#name) ?? "[]") as [string, T][]);
    } catch {
      return new Map();
    }
  }
}
