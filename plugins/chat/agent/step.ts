/** What one model call, and the round of tools after it, have told so far: for whoever joins the turn in the middle. */
import type { TurnEvent } from "@chela/sdk";

export class Step {
  #text = "";
  #half = "";
  #thoughts = "";
  readonly #calls: TurnEvent[] = [];

  get text(): string {
    return this.#text;
  }

  /** Returns what may be passed on now: never half a surrogate pair. */
  say(delta: string): string {
    let whole = this.#half + delta;
    this.#half = "";
    if (isHighSurrogate(whole.charCodeAt(whole.length - 1))) {
      this.#half = whole.slice(-1);
      whole = whole.slice(0, -1);
    }
    this.#text += whole;
    return whole;
  }

  think(delta: string): void {
    this.#thoughts += delta;
  }

  call(event: TurnEvent): void {
    this.#calls.push(event);
  }

  /** With `text` instead of its own. */
  soFar(text: string): TurnEvent[] {
    const events: TurnEvent[] = [];
    if (this.#thoughts !== "") events.push({ type: "reasoning", text: this.#thoughts });
    if (text !== "") events.push({ type: "text", text });
    events.push(...this.#calls);
    return events;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
