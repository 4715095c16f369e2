/** Text that grows at its end, in parts of some lines: only the last part is laid out again. */

const linesOfPart = 120;

export class GrowingText {
  readonly #place: HTMLElement;
  #text = "";
  #lines = 0;
  #last: Text | undefined;

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  get text(): string {
    return this.#text;
  }

  set(text: string): void {
    if (!text.startsWith(this.#text) || this.#text === "") {
      this.#place.replaceChildren();
      this.#text = "";
      this.#last = undefined;
    }
    const more = text.slice(this.#text.length);
    this.#text = text;
    for (const piece of more.split(/(?<=\n)/)) this.#add(piece);
  }

  #add(line: string): void {
    if (this.#last === undefined || this.#lines >= linesOfPart) this.#begin();
    this.#last?.appendData(line);
    if (!line.endsWith("\n")) return;
    this.#lines += 1;
    // The part itself is a block: the line feed at its end would be an empty line.
    if (this.#lines >= linesOfPart) this.#last?.deleteData(this.#last.length - 1, 1);
  }

  #begin(): void {
    const part = document.createElement("span");
    part.className = "part";
    this.#last = document.createTextNode("");
    this.#lines = 0;
    part.append(this.#last);
    this.#place.append(part);
  }
}
