/** The open streams of clients without a session, counted: one identity leaves room for the others. */

const maxEach = 16;
/** Of all together; the peer refuses more. */
export const maxListeners = 256;

export class Listeners {
  readonly #open = new Map<string, number>();

  /** The way out, to be taken once; undefined when there is no place. */
  enter(owner: string): (() => void) | undefined {
    const open = this.#open.get(owner) ?? 0;
    if (open >= maxEach) return undefined;
    this.#open.set(owner, open + 1);
    return () => this.#leave(owner);
  }

  #leave(owner: string): void {
    const left = (this.#open.get(owner) ?? 1) - 1;
    if (left > 0) this.#open.set(owner, left);
    else this.#open.delete(owner);
  }
}
