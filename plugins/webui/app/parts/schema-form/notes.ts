/** What a form remembers of what the person did that is no value: half-typed numbers, opened sections, chosen shapes. */
import { idOf } from "./field.ts";
import type { Keys } from "./values.ts";

export class Notes {
  readonly #texts = new Map<string, string>();

  get(name: string, keys: Keys): string | undefined {
    return this.#texts.get(`${name} ${idOf(keys)}`);
  }

  /** undefined forgets. */
  keep(name: string, keys: Keys, text: string | undefined): void {
    const id = `${name} ${idOf(keys)}`;
    if (text === undefined) this.#texts.delete(id);
    else this.#texts.set(id, text);
  }

  /** All of it, but for what is open, at these keys and below. */
  forget(keys: Keys): void {
    const id = idOf(keys);
    for (const name of [...this.#texts.keys()]) {
      const [kind, place = ""] = name.split(" ", 2);
      const isBelow = keys.length === 0 || place === id || place.startsWith(`${id}/`);
      if (isBelow && kind !== "open") this.#texts.delete(name);
    }
  }

  count(name: string): number {
    return [...this.#texts.keys()].filter((kept) => kept.startsWith(`${name} `)).length;
  }
}
