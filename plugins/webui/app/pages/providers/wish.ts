/** What a part of the page asks the page for: it bubbles up as the event `provider`. */

export interface Wish {
  /** `add` names a preset, or nothing. */
  readonly wish: "add" | "login" | "remove" | "keep" | "clear" | "changed";
  readonly name: string;
}

export function ask(from: EventTarget, wish: Wish["wish"], name = ""): void {
  from.dispatchEvent(new CustomEvent<Wish>("provider", { detail: { wish, name }, bubbles: true, composed: true }));
}
