/** The newest so many of something. Adding one is an assignment: it happens on every request. */
export class Ring<T> {
  readonly #slots: T[] = [];
  #max: number;
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#slots.length;
  }

  add(item: T): void {
    this.#slots[this.#next] = item;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Newest first. */
  list(): T[] {
    const { length } = this.#slots;
    return Array.from({ length }, (_, index) => this.#slots[(this.#next - 1 - index + 2 * length) % length] as T);
  }

  get newest(): T | undefined {
    return this.#slots[(this.#next - 1 + this.#slots.length) % this.#slots.length];
  }

  clear(): void {
    this.#slots.length = 0;
    this.#next = 0;
  }

  /** Keeps the newest that fit. */
  resize(max: number): void {
    if (max === this.#max) return;
    const kept = this.list().slice(0, max).reverse();
    this.clear();
    this.#max = max;
    for (const item of kept) this.add(item);
  }
}
