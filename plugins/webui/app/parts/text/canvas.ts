/** Draws a growing text: blocks that are complete stay as they are, the last one is drawn again until it is. */
import type { Code } from "../code.ts";
import type { MarkdownEngine } from "./engine.ts";
import { isUnsure, type Piece, piecesOf } from "./pieces.ts";

export interface Drawing {
  readonly streaming: boolean;
  /** When to stop for this time; see `performance.now`. */
  readonly until: number;
}

/** Leaves out of sight are neither laid out nor painted. */
const blocksOfLeaf = 12;
const charsOfLeaf = 8_000;
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
  /** Stands before the rest of the text: the head of a table of which rows are drawn already. */
  #head = "";
  /** What is complete and not drawn yet. */
  #settled: Piece[] = [];
  #leafChars = 0;
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
      const piece = this.#settled.shift();
      if (piece === undefined) this.#read();
      else this.#complete(piece);
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

  /** What comes after all that is settled; while more is coming, its last piece is not. */
  #read(): void {
    const head = this.#head;
    const cutting = { head, lex: (text: string) => this.#engine.blocks(text) };
    const [first, ...others] = this.#engine.blocks(head + this.#text.slice(this.#done));
    if (head !== "" && first?.type !== "table") {
      this.#head = "";
      return;
    }
    const pieces = first === undefined ? [] : piecesOf(first, cutting);
    const all = [...pieces, ...others.flatMap((block) => piecesOf(block, { ...cutting, head: "" }))];
    const last = this.#isStreaming ? all.pop() : undefined;
    this.#settled = all;
    this.#isDrawn = all.length === 0;
    if (all.length > 0) this.#isRough ||= this.#isStreaming && all.some((piece) => piece.goesOn && isUnsure(piece));
    else if (last !== undefined) this.#open = this.#drawn(last, false);
  }

  #reset(sheet: HTMLElement): void {
    this.#sheet = sheet;
    this.#done = 0;
    this.#head = "";
    this.#settled = [];
    this.#open = undefined;
    this.#isRough = false;
    this.#engine.begin();
  }

  #complete(piece: Piece): void {
    this.#drawn(piece, true);
    this.#open = undefined;
    this.#done += piece.size;
    this.#head = piece.head;
  }

  #drawn({ block, size, goesOn }: Piece, isComplete: boolean): HTMLElement | undefined {
    if (block.type === "space" || block.type === "def") return this.#open;
    const isCode = block.type === "code";
    const element = this.#element(isCode ? "ui-code" : "div", size);
    if (isCode)
      Object.assign(element as Code, {
        language: block.lang?.split(/\s/)[0] ?? "",
        code: block.text,
        streaming: !isComplete,
      });
    else element.replaceChildren(furnished(this.#engine.nodes(block)));
    element.classList.toggle("on", goesOn);
    return element;
  }

  /** The element of the block that is drawn again, or a new one after it. */
  #element(tag: "ui-code" | "div", size: number): HTMLElement {
    if (this.#open?.localName === tag) return this.#open;
    const element = document.createElement(tag);
    if (this.#open === undefined) this.#leaf(size).append(element);
    else this.#open.replaceWith(element);
    return element;
  }

  /** Where the next block goes. */
  #leaf(size: number): Element {
    const last = this.#sheet.lastElementChild;
    this.#leafChars += size;
    if (last !== null && last.childElementCount < blocksOfLeaf && this.#leafChars < charsOfLeaf) return last;
    this.#leafChars = size;
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
