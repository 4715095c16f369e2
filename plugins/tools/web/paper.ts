/** The page as it is written down: pieces of text, line breaks that add up, links and the region that holds the article. */
import type { Pace } from "@chela/sdk";

const maxParts = 200_000;
const maxChars = 2_000_000;
/** A longer text is no link's. */
const maxLink = 1_000;
const stepChars = 16_384;

export class Paper {
  readonly #base: string;
  readonly #parts: string[] = [];
  #chars = 0;
  #breaks = 0;
  /** White space waits until a word follows. */
  #space = false;
  #inPre = false;
  #link: { readonly href: string; readonly from: number; readonly chars: number } | undefined;
  #regionDepth = 0;
  #regionFrom = -1;
  #regionTo = -1;

  constructor(base: string) {
    this.#base = base;
  }

  /** Nobody is shown as much as this. */
  get full(): boolean {
    return this.#chars >= maxChars || this.#parts.length >= maxParts;
  }

  text(text: string): void {
    if (this.#inPre) {
      this.#put(text);
      return;
    }
    const words = text.replace(/\s+/g, " ");
    if (words.startsWith(" ")) this.#space = true;
    const inner = words.trim();
    if (inner === "") return;
    this.#put(inner);
    this.#space = words.endsWith(" ");
  }

  breakLines(count: number): void {
    if (this.#inPre) return;
    this.#breaks = Math.max(this.#breaks, count);
    this.#space = false;
  }

  /** 0 ends one. */
  heading(level: number): void {
    this.breakLines(2);
    if (level > 0) this.#put(`${"#".repeat(level)} `);
  }

  item(closing: boolean): void {
    this.breakLines(1);
    if (!closing) this.#put("- ");
  }

  rule(): void {
    this.breakLines(2);
    this.#put("---");
    this.breakLines(2);
  }

  cell(): void {
    if (this.#breaks === 0) this.#put(" | ");
  }

  pre(closing: boolean): void {
    if (closing === !this.#inPre) return;
    if (!closing) {
      this.breakLines(2);
      this.#put("```\n");
      this.#inPre = true;
      return;
    }
    this.#inPre = false;
    this.#add("\n```");
    this.breakLines(2);
  }

  code(): void {
    if (!this.#inPre) this.#put("`");
  }

  image(alt: string): void {
    if (alt !== "") this.text(`[image: ${alt.slice(0, 300)}]`);
  }

  /** Begins a link, or ends one; a link inside another ends the first. */
  link(href: string | undefined): void {
    this.#endLink();
    if (href === undefined || href === "" || href.startsWith("#") || this.#inPre) return;
    this.#flush();
    this.#link = { href, from: this.#parts.length, chars: this.#chars };
  }

  /** `main` or `article` begins or ends; the outermost one counts, the longest of several. */
  region(closing: boolean): void {
    this.breakLines(1);
    if (!closing) {
      this.#regionDepth += 1;
      if (this.#regionDepth === 1 && this.#regionFrom < 0) this.#regionFrom = this.#parts.length;
      return;
    }
    if (this.#regionDepth === 0) return;
    this.#regionDepth -= 1;
    if (this.#regionDepth === 0) this.#regionTo = this.#parts.length;
  }

  /** The article when there is one of that length, else everything. */
  async finish(leastRegion: number, pace: Pace): Promise<string> {
    this.#endLink();
    if (this.#inPre) this.pre(true);
    if (this.#regionFrom >= 0 && this.#regionTo > this.#regionFrom) {
      const region = await tidy(this.#parts.slice(this.#regionFrom, this.#regionTo), pace);
      if (region.length >= leastRegion) return region;
    }
    return tidy(this.#parts, pace);
  }

  #endLink(): void {
    const link = this.#link;
    this.#link = undefined;
    if (!link || this.#chars - link.chars > maxLink) return;
    const pieces = this.#parts.splice(link.from);
    const text = pieces.join("").trim();
    const target = text === "" ? undefined : absolute(link.href, this.#base);
    if (text === "") return;
    const plain = target === undefined || target === text;
    this.#add(plain ? pieces.join("") : `[${text.replace(/\s*\n\s*/g, " ")}](${target})`);
  }

  #put(text: string): void {
    this.#flush();
    this.#add(text);
  }

  #add(text: string): void {
    this.#parts.push(text);
    this.#chars += text.length;
  }

  #flush(): void {
    if (this.#breaks > 0) {
      if (this.#parts.length > 0) this.#add("\n".repeat(this.#breaks));
    } else if (this.#space && this.#parts.length > 0) this.#add(" ");
    this.#breaks = 0;
    this.#space = false;
  }
}

/** Only what a person could open in a browser. */
function absolute(href: string, base: string): string | undefined {
  if (!URL.canParse(href, base)) return undefined;
  const { protocol, href: url } = new URL(href, base);
  return (protocol === "http:" || protocol === "https:") && url.length <= 1_000 ? url : undefined;
}

/** No space at the end of a line, never two empty lines in a row. */
async function tidy(parts: readonly string[], pace: Pace): Promise<string> {
  const done: string[] = [];
  let text = "";
  for (const part of parts) {
    text += part;
    if (text.length < stepChars) continue;
    if (pace.due()) await pace.rest();
    const end = endOfWords(text);
    done.push(tidyLines(text.slice(0, end)));
    text = tidyLines(text.slice(end)).slice(0, 100);
  }
  return (done.join("") + tidyLines(text)).trim();
}

/** Behind the last character that is no white space: how the rest reads depends on what follows. */
function endOfWords(text: string): number {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) <= 32) end -= 1;
  return end;
}

function tidyLines(text: string): string {
  const lines = text.split("\n").map((line, index, all) => (index < all.length - 1 ? line.trimEnd() : line));
  return lines.join("\n").replace(/\n{3,}/g, "\n\n");
}
