/**
 * Whether a stream that is passed on unread came to its end, told from its last bytes alone: `[DONE]`, a finish reason or
 * an error. Costs a look at the end of each chunk; text is made of the kept bytes once, when the stream ends.
 */
import { Tail } from "./tail.ts";

/** More than `data: [DONE]` and what may stand before and behind it. */
const doneBytes = 64;
const newline = 0x0a;
const carriageReturn = 0x0d;
const bracket = 0x5d;

/** How streams of an API end. */
export type Ending = "chat" | "responses";

const endings: Readonly<Record<Ending, RegExp>> = {
  chat: /(?:^|\n)data: ?\[DONE\]|"finish_reason": ?"|(?:^|\n)(?:data: ?\{"error":|event: ?error)/,
  // The last event repeats the whole reply and may be longer than what is kept: of all events only it holds a usage.
  responses:
    /"usage": ?\{|(?:^|\n)event: ?(?:error|response\.(?:completed|incomplete|failed))|(?:^|\n)data: ?\{"error":|"type": ?"error"/,
};

export class StreamEnd {
  readonly tail = new Tail();
  readonly #ending: RegExp;
  #done = false;

  constructor(ending: Ending) {
    this.#ending = endings[ending];
  }

  add(chunk: Uint8Array): void {
    this.tail.add(chunk);
    if (endsInBracket(chunk)) this.#done = /(?:^|\n)data: ?\[DONE\]\s*$/.test(this.tail.text(doneBytes));
  }

  /** The last chunk ended with `[DONE]`: nothing more is worth waiting for. */
  get done(): boolean {
    return this.#done;
  }

  /** The upstream had said how the reply ends. */
  get told(): boolean {
    return this.#done || this.#ending.test(this.tail.text());
  }
}

/** Events of JSON end in a brace: almost every chunk is done with here. */
function endsInBracket(chunk: Uint8Array): boolean {
  let at = chunk.byteLength - 1;
  while (at >= 0 && (chunk[at] === newline || chunk[at] === carriageReturn)) at--;
  return at < chunk.byteLength - 1 && chunk[at] === bracket;
}
