/**
 * Keeps what a person reads where it is, whatever is loaded, drawn or dropped around it; and the end in sight for who is at the
 * end. Only a person's own scrolling changes which of both it is.
 */

const nearPx = 48;
const touchMs = 1500;

export class Anchor {
  readonly #scroller: HTMLElement;
  readonly #list: HTMLElement;
  readonly #observer = new ResizeObserver(() => this.keep());
  isAtEnd = true;
  #top = 0;
  #touched = 0;
  /** What is read, and where it was. */
  #read: { readonly element: Element; readonly at: number } | undefined;
  /** What was looked for stays in the middle until a person scrolls. */
  #sought: HTMLElement | undefined;

  constructor(scroller: HTMLElement, list: HTMLElement) {
    this.#scroller = scroller;
    this.#list = list;
    this.#observer.observe(scroller);
    this.#observer.observe(list);
    for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      scroller.addEventListener(type, () => this.touched(), { passive: true });
    }
  }

  /** A person moves something: what scrolls now is his doing, and not that content went. */
  touched(): void {
    this.#touched = performance.now();
  }

  end(): void {
    this.#observer.disconnect();
  }

  /** Another page is shown: nothing has a place. */
  get #isHidden(): boolean {
    return this.#scroller.clientHeight === 0;
  }

  get below(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Nothing of what is there lies above what is seen. */
  get isAtTop(): boolean {
    return !this.#isHidden && this.above < 1;
  }

  get above(): number {
    return this.#scroller.scrollTop;
  }

  scrolled(): void {
    const { scrollTop } = this.#scroller;
    if (this.#isHidden) return;
    if (Math.abs(scrollTop - this.#top) < 1) return;
    this.#sought = undefined;
    if (this.below <= nearPx) this.isAtEnd = true;
    else if (scrollTop < this.#top && performance.now() - this.#touched < touchMs) this.isAtEnd = false;
    this.#top = scrollTop;
    this.#remember();
  }

  keep(): void {
    if (this.#isHidden) return;
    if (this.isAtEnd) this.#move(this.below);
    else if (this.#sought?.isConnected) this.#move(this.#sought.offsetTop - this.#room(this.#sought) - this.above);
    else if (this.#read?.element.isConnected) this.#move(this.#placeOf(this.#read.element) - this.#read.at);
    this.#remember();
  }

  toEnd(): void {
    this.isAtEnd = true;
    this.keep();
  }

  /** Something is opened or closed: what was pressed stays under the finger. */
  hold(): void {
    this.isAtEnd = false;
    this.#remember();
  }

  toElement(element: HTMLElement): void {
    this.isAtEnd = false;
    this.#sought = element;
    this.keep();
  }

  /** By as little as needed: a person may be scrolling at this very moment. */
  #move(by: number): void {
    if (Math.abs(by) < 1) return;
    this.#scroller.scrollTop += by;
    this.#top = this.#scroller.scrollTop;
  }

  /** Above an element in the middle of what can be seen. */
  #room(element: HTMLElement): number {
    return Math.max(16, (this.#scroller.clientHeight - element.offsetHeight) / 3);
  }

  /** How far below the beginning of all that can be scrolled. */
  #placeOf(element: Element): number {
    return element.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top + this.#scroller.scrollTop;
  }

  /** Of a reply that fills more than what can be seen: its first part there, since it may grow above it. */
  #partOf(entry: HTMLElement): Element {
    const { clientHeight } = this.#scroller;
    const parts = entry.offsetHeight > clientHeight ? [...(entry.firstElementChild?.shadowRoot?.children ?? [])] : [];
    const { top } = this.#scroller.getBoundingClientRect();
    return parts.find((part) => part.getBoundingClientRect().bottom > top) ?? entry;
  }

  /** The first entry that reaches into what can be seen. */
  #remember(): void {
    const entries = this.#list.children as HTMLCollectionOf<HTMLElement>;
    const { scrollTop } = this.#scroller;
    let [low, high] = [0, entries.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = entries[middle] as HTMLElement;
      if (entry.offsetTop + entry.offsetHeight > scrollTop) high = middle;
      else low = middle + 1;
    }
    const entry = entries[low];
    if (entry === undefined) return;
    const element = this.#partOf(entry);
    this.#read = { element, at: this.#placeOf(element) };
  }
}
