/**
 * HTML as readable text in Markdown's manner: headings, lists, links, tables and code stay recognisable; scripts, styles,
 * navigation and what is hidden go. One pass over the text, in time linear in its length and in small steps, whatever it
 * holds; what is too much for any reader is not read.
 */
import type { Pace } from "@chela/sdk";
import { decodeEntities } from "./entities.ts";
import { Paper } from "./paper.ts";

export interface Page {
  readonly title: string;
  readonly text: string;
  /** There was more than is ever shown. */
  readonly cut: boolean;
}

/** Their content is no markup: it ends at their own end tag. */
const raw: Readonly<Record<string, RegExp>> = Object.fromEntries(
  ["script", "style", "noscript", "template", "iframe", "textarea", "title", "svg", "math", "object"].map((name) => [
    name,
    new RegExp(`</${name}(?=[\\s/>])`, "gi"),
  ]),
);
const chrome: ReadonlySet<string> = new Set(["nav", "footer", "aside", "form", "dialog", "menu", "select", "button"]);
const blocks: ReadonlySet<string> = new Set(
  "p div section article main header ul ol dl dt dd blockquote figure figcaption address details summary fieldset body center".split(
    " ",
  ),
);
const empty: ReadonlySet<string> = new Set("area base br col embed hr img input link meta source track wbr".split(" "));
const leastMain = 400;
/** What is written down at one step. */
const stepChars = 16_384;
/** Of a tag's attributes; a picture in one is longer. */
const maxAttributes = 20_000;

/** With `base` relative links become absolute. */
export async function readable(html: string, base: string, pace: Pace): Promise<Page> {
  const strict = await new Reader(html, base, true).read(pace);
  if (strict.text.length >= leastMain) return strict;
  // A page whose text stands in a form, or that never closes its navigation.
  const loose = await new Reader(html, base, false).read(pace);
  return loose.text.length > strict.text.length * 2 ? loose : strict;
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly attributes: string;
}

class Reader {
  readonly #html: string;
  readonly #strict: boolean;
  readonly #paper: Paper;
  readonly #tagStart = /<(\/?)([a-zA-Z][a-zA-Z0-9:-]*)/y;
  #at = 0;
  /** Where the text that is being read ends. */
  #textEnd = -1;
  #title = "";
  /** Element that is left out with all it holds, and how deep in its own kind. */
  #skipped: { readonly name: string; depth: number } | undefined;

  constructor(html: string, base: string, strict: boolean) {
    this.#html = html;
    this.#strict = strict;
    this.#paper = new Paper(base);
  }

  async read(pace: Pace): Promise<Page> {
    while (this.#at < this.#html.length && !this.#paper.full) {
      if (pace.due()) await pace.rest();
      this.#step();
    }
    return { title: this.#title, text: await this.#paper.finish(leastMain, pace), cut: this.#paper.full };
  }

  #step(): void {
    if (this.#textEnd < this.#at) {
      const open = this.#html.indexOf("<", this.#at);
      this.#textEnd = open < 0 ? this.#html.length : open;
    }
    if (this.#textEnd === this.#at) this.#markup();
    else if (this.#skipped) this.#at = this.#textEnd;
    else this.#text();
  }

  /** Some of the text; a character reference is not torn apart. */
  #text(): void {
    const most = Math.min(this.#at + stepChars, this.#textEnd);
    const reference = most < this.#textEnd ? this.#html.slice(most - 40, most).lastIndexOf("&") : -1;
    const end = reference < 0 ? most : most - 40 + reference;
    this.#paper.text(decodeEntities(this.#html.slice(this.#at, end)));
    this.#at = end;
  }

  #markup(): void {
    this.#tagStart.lastIndex = this.#at;
    const match = this.#tagStart.exec(this.#html);
    if (!match) {
      this.#noTag();
      return;
    }
    const from = this.#tagStart.lastIndex;
    const end = tagEnd(this.#html, from);
    this.#at = end;
    const name = (match[2] as string).toLowerCase();
    const tag = { name, closing: match[1] === "/", attributes: this.#html.slice(from, end) };
    const content = !tag.closing && Object.hasOwn(raw, name) && !tag.attributes.endsWith("/>");
    if (content) this.#rawContent(name);
    else if (this.#skipped) this.#skip(tag);
    else this.#tag(tag);
  }

  /** A comment, a declaration, or a `<` that means itself. */
  #noTag(): void {
    const comment = this.#html.startsWith("<!--", this.#at);
    const declaration = comment || /[!?/]/.test(this.#html[this.#at + 1] ?? "");
    if (!declaration) {
      if (!this.#skipped) this.#paper.text("<");
      this.#at += 1;
      return;
    }
    const end = this.#html.indexOf(comment ? "-->" : ">", this.#at + 2);
    this.#at = end < 0 ? this.#html.length : end + (comment ? 3 : 1);
  }

  #rawContent(name: string): void {
    const pattern = new RegExp(raw[name] as RegExp);
    pattern.lastIndex = this.#at;
    const end = pattern.exec(this.#html);
    const until = end?.index ?? this.#html.length;
    if (name === "title" && this.#title === "")
      this.#title = decodeEntities(this.#html.slice(this.#at, Math.min(until, this.#at + 1_000)))
        .replace(/\s+/g, " ")
        .trim();
    this.#at = end ? tagEnd(this.#html, pattern.lastIndex) : until;
  }

  #skip({ name, closing, attributes }: Tag): void {
    const skipped = this.#skipped;
    if (skipped?.name !== name || attributes.endsWith("/>")) return;
    skipped.depth += closing ? -1 : 1;
    if (skipped.depth === 0) this.#skipped = undefined;
  }

  #tag(tag: Tag): void {
    const { name, closing, attributes } = tag;
    const hidden = /\s(?:hidden(?=[\s=>/])|aria-hidden\s?=\s?["']?true)/i.test(attributes.slice(0, maxAttributes));
    const left = (this.#strict && chrome.has(name)) || (hidden && !empty.has(name));
    if (!closing && left) {
      this.#paper.breakLines(1);
      this.#skipped = { name, depth: 1 };
      return;
    }
    if (name === "main" || name === "article") this.#paper.region(closing);
    if (blocks.has(name)) this.#paper.breakLines(name === "p" || name === "blockquote" ? 2 : 1);
    else this.#inline(tag);
  }

  #inline({ name, closing, attributes }: Tag): void {
    const paper = this.#paper;
    const heading = /^h([1-6])$/.exec(name);
    if (heading) paper.heading(closing ? 0 : Number(heading[1]));
    else if (name === "li") paper.item(closing);
    else if (name === "br") paper.breakLines(1);
    else if (name === "hr") paper.rule();
    else if (name === "tr" || name === "table") paper.breakLines(name === "tr" ? 1 : 2);
    else if ((name === "td" || name === "th") && !closing) paper.cell();
    else if (name === "pre") paper.pre(closing);
    else if (name === "code") paper.code();
    else if (name === "a") paper.link(closing ? undefined : attribute(attributes, "href"));
    else if (name === "img") paper.image(attribute(attributes, "alt"));
  }
}

/** Just behind the `>` that ends a tag; one inside quotes does not. */
function tagEnd(html: string, from: number): number {
  for (let at = from, end = -1; ; ) {
    if (end < at) end = html.indexOf(">", at);
    if (end < 0) return html.length;
    const quote = html.slice(at, end).search(/=["']/);
    if (quote < 0) return end + 1;
    const closing = html.indexOf(html[at + quote + 1] as string, at + quote + 2);
    if (closing < 0) return html.length;
    at = closing + 1;
  }
}

function attribute(attributes: string, name: string): string {
  if (attributes.length > maxAttributes) return "";
  const pattern = new RegExp(`\\s${name}\\s?=\\s?(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i");
  const match = pattern.exec(attributes);
  return decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
}
