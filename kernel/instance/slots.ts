/**
 * Things that come and go with each request, to be found again by whoever ends them all. An array whose places are used
 * again: a Set that grows and shrinks would leave tables behind that keep what was in them alive for a while.
 */
export class Slots<T> {
  readonly #places: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** The place it got. */
  put(item: T): number {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = item;
    return place;
  }

  clear(place: number): void {
    this.#places[place] = undefined;
    this.#free.push(place);
  }

  get items(): readonly T[] {
    return this.#places.filter((item) => item !== undefined);
  }
}
