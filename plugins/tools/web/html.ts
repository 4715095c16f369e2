/**
 * HTML as readable text in Markdown's manner: headings, lists, links, tables and code stay recognisable; scripts, styles,
 * navigation and what is hidden go. One pass over the text, in time linear in its length, whatever it holds.
 */
import { decodeEntities } from "./entities.ts";
import { Paper } from "./paper.ts";

export interface Page {
  readonly title: string;
  readonly text: string;
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

/** With `base` relative links become absolute. */
export function readable(html: string, base: string): Page {
  const strict = new Reader(html, base, true).read();
  if (strict.text.length >= leastMain) return strict;
  // A page whose text stands in a form, or that never closes its navigation.
  const loose = new Reader(html, base, false).read();
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
  #title = "";
  /** Element that is left out with all it holds, and how deep in its own kind. */
  #skipped: { readonly name: string; depth: number } | undefined;

  constructor(html: string, base: string, strict: boolean) {
    this.#html = html;
    this.#strict = strict;
    this.#paper = new Paper(base);
  }

  read(): Page {
    const { length } = this.#html;
    while (this.#at < length) {
      const open = this.#html.indexOf("<", this.#at);
      const end = open < 0 ? length : open;
      if (end > this.#at && !this.#skipped) this.#paper.text(decodeEntities(this.#html.slice(this.#at, end)));
      this.#at = end;
      if (open >= 0) this.#markup();
    }
    return { title: this.#title, text: this.#paper.finish(leastMain) };
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
    const hidden = /\s(?:hidden(?=[\s=>/])|aria-hidden\s?=\s?["']?true)/i.test(attributes);
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
  let quote = "";
  for (let at = from; at < html.length; at += 1) {
    const char = html[at] as string;
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === ">") return at + 1;
    else if ((char === '"' || char === "'") && html[at - 1] === "=") quote = char;
  }
  return html.length;
}

function attribute(attributes: string, name: string): string {
  if (attributes.length > 20_000) return "";
  const pattern = new RegExp(`\\s${name}\\s?=\\s?(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i");
  const match = pattern.exec(attributes);
  return decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
}
