/** Draws a growing text: blocks that are complete stay as they are, the last one is drawn again until it is. */
import type { Code } from "../code.ts";
import type { MarkdownEngine, Token } from "./engine.ts";

export interface Drawing {
  readonly streaming: boolean;
  /** When to stop for this time; see `performance.now`. */
  readonly until: number;
}

/** What is longer is drawn in pieces while it grows; the end of the text puts right what looks different then. */
const longBlock = 8_000;

/** Leaves out of sight are neither laid out nor painted. */
const blocksOfLeaf = 12;
/** So many are drawn at once however slow that is. */
const leastBlocks = 4;

export class MarkdownCanvas {
  readonly #engine: MarkdownEngine;
  readonly #place: HTMLElement;
  /** Where blocks go: off the page while the whole is drawn anew. */
  #sheet: HTMLElement;
  #text = "";
  #isStreaming = true;
  /** All of the text is on show. */
  #isDrawn = true;
  /** So many characters are drawn for good. */
  #done = 0;
  /** Blocks that are complete and not drawn yet. */
  #settled: Token[] = [];
  #open: HTMLElement | undefined;
  #isRough = false;

  constructor(engine: MarkdownEngine, place: HTMLElement) {
    this.#engine = engine;
    this.#place = place;
    this.#sheet = document.createElement("div");
    engine.begin();
  }

  /** False when something is left to draw. */
  draw(text: string, { streaming, until }: Drawing): boolean {
    this.#take(text, streaming);
    // Who watches it grow sees each piece; a text that is there is shown when it is drawn.
    if (streaming) this.#show();
    for (let drawn = 1; !this.#isDrawn; drawn += 1) {
      const block = this.#settled.shift();
      if (block === undefined) this.#read();
      else this.#complete(block);
      if (!this.#isDrawn && drawn >= leastBlocks && performance.now() > until) return false;
    }
    this.#show();
    return true;
  }

  #take(text: string, streaming: boolean): void {
    if (text === this.#text && streaming === this.#isStreaming) return;
    const isOver = !this.#isStreaming && text !== this.#text;
    // A name that is explained at the end changes what stands before it.
    const isRough = !streaming && (this.#isRough || /^\[[^\]\n]+\]: /m.test(text));
    if (isOver || !text.startsWith(this.#text) || (isRough && this.#done > 0))
      this.#reset(document.createElement("div"));
    this.#text = text;
    this.#isStreaming = streaming;
    this.#isDrawn = false;
  }

  /** What comes after all that is settled; while more is coming, its last block is not. */
  #read(): void {
    const blocks = this.#engine.blocks(this.#text.slice(this.#done));
    const last = this.#isStreaming ? blocks.at(-1) : undefined;
    if (last === undefined || blocks.length > 1) {
      this.#settled = last === undefined ? blocks.flatMap((block) => this.#listPieces(block)) : blocks.slice(0, -1);
      this.#isDrawn = this.#settled.length === 0;
      return;
    }
    const pieces = piecesOf(last).slice(0, -1);
    this.#settled = pieces.flatMap((piece) => this.#engine.blocks(piece));
    this.#isRough ||= pieces.length > 0 && last.type !== "list";
    if (pieces.length > 0) return;
    this.#open = this.#drawn(last, false);
    this.#isDrawn = true;
  }

  /** A list may stay in pieces: its numbers go on. */
  #listPieces(block: Token): Token[] {
    const pieces = block.type === "list" ? piecesOf(block) : [];
    return pieces.length > 1 ? pieces.flatMap((piece) => this.#engine.blocks(piece)) : [block];
  }

  #reset(sheet: HTMLElement): void {
    this.#sheet = sheet;
    this.#done = 0;
    this.#settled = [];
    this.#open = undefined;
    this.#isRough = false;
    this.#engine.begin();
  }

  #complete(block: Token): void {
    this.#drawn(block, true);
    this.#open = undefined;
    this.#done += block.raw.length;
  }

  #drawn(block: Token, isComplete: boolean): HTMLElement | undefined {
    if (block.type === "space" || block.type === "def") return this.#open;
    const isCode = block.type === "code";
    const element = this.#element(isCode ? "ui-code" : "div");
    if (isCode)
      Object.assign(element as Code, {
        language: block.lang?.split(/\s/)[0] ?? "",
        code: block.text,
        streaming: !isComplete,
      });
    else element.replaceChildren(furnished(this.#engine.nodes(block)));
    return element;
  }

  /** The element of the block that is drawn again, or a new one after it. */
  #element(tag: "ui-code" | "div"): HTMLElement {
    if (this.#open?.localName === tag) return this.#open;
    const element = document.createElement(tag);
    if (this.#open === undefined) this.#leaf().append(element);
    else this.#open.replaceWith(element);
    return element;
  }

  /** Where the next block goes. */
  #leaf(): Element {
    const last = this.#sheet.lastElementChild;
    if (last !== null && last.childElementCount < blocksOfLeaf) return last;
    const leaf = document.createElement("div");
    leaf.className = "leaf";
    this.#sheet.append(leaf);
    return leaf;
  }

  #show(): void {
    if (this.#sheet === this.#place) return;
    this.#place.replaceChildren(...this.#sheet.childNodes);
    this.#sheet = this.#place;
  }
}

/** A long block in pieces that look almost like the whole; one piece where it cannot be cut. */
function piecesOf({ type, raw }: Token): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  while (raw.length - from > longBlock) {
    const cut = cutOf(type, raw.slice(from, from + longBlock));
    if (cut <= 0) break;
    pieces.push(raw.slice(from, from + cut));
    from += cut;
  }
  return [...pieces, raw.slice(from)];
}

/** Where the last item at the margin begins, or the last line or word. */
function cutOf(type: string, text: string): number {
  if (type === "list") return ([...text.matchAll(/\n(?=(?:[-*+]|\d+[.)]) )/g)].at(-1)?.index ?? -1) + 1;
  if (type === "blockquote") return text.lastIndexOf("\n") + 1;
  return type === "paragraph" ? Math.max(text.lastIndexOf("\n"), text.lastIndexOf(" ")) + 1 : 0;
}

/** Tables that can be scrolled, code that can be copied. */
function furnished(nodes: DocumentFragment): DocumentFragment {
  for (const table of nodes.querySelectorAll("table")) {
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    table.replaceWith(scroll);
    scroll.append(table);
  }
  for (const code of nodes.querySelectorAll<HTMLElement>("pre > code")) {
    const block = document.createElement("ui-code") as Code;
    Object.assign(block, { code: code.textContent, language: code.dataset.lang?.split(/\s/)[0] ?? "" });
    code.parentElement?.replaceWith(block);
  }
  return nodes;
}
