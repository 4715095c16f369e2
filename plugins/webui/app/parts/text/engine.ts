/**
 * Markdown to nodes, block by block, cleaned of everything that could act: no scripts, no forms, no styles, no pictures from
 * elsewhere. Loaded with the first text.
 */
import DOMPurify, { type Config } from "dompurify";
import { Marked, type Token } from "marked";

export type { Token } from "marked";

const allowed = {
  ALLOWED_TAGS:
    "a b blockquote br code dd del details div dl dt em h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var".split(
      " ",
    ),
  ALLOWED_ATTR: ["href", "title", "align", "start", "colspan", "rowspan", "open", "alt", "src", "data-lang"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);)/i,
  RETURN_DOM_FRAGMENT: true as const,
} satisfies Config;

const marks = new Set(
  "b br dd del details dl dt em i ins kbd mark p q s samp small strong sub summary sup u var".split(" "),
);

/** Level of the heading before: none is left out on the way down. */
class Outline {
  #level = 2;

  begin(): void {
    this.#level = 2;
  }

  heading(depth: number, text: string): string {
    this.#level = Math.min(depth + 2, this.#level + 1, 6);
    return `<h${this.#level}>${text}</h${this.#level}>`;
  }
}

export class MarkdownEngine {
  readonly #marked: Marked;
  readonly #purify = DOMPurify(window);
  readonly #outline = new Outline();

  constructor() {
    const outline = this.#outline;
    this.#marked = new Marked({
      gfm: true,
      renderer: {
        heading({ depth, tokens }) {
          return outline.heading(depth, this.parser.parseInline(tokens));
        },
        html: ({ text }) => harmless(text),
        checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
        code: ({ text, lang = "" }) => `<pre><code data-lang="${quoted(lang)}">${quoted(text)}</code></pre>`,
        // Asking another server for a picture would tell it what was said.
        image: ({ href, text }) =>
          href.startsWith("data:image/")
            ? `<img src="${quoted(href)}" alt="${quoted(text)}">`
            : `<a href="${quoted(href)}">${quoted(text || href)}</a>`,
      },
    });
    this.#purify.addHook("afterSanitizeAttributes", (node) => {
      if (node.nodeName === "A") guard(node);
    });
  }

  /** The blocks of a text. One that is nested deeper than can be followed is a block of code. */
  blocks(text: string): Token[] {
    try {
      return this.#marked.lexer(text);
    } catch {
      return [{ type: "code", raw: text, text }];
    }
  }

  /** A text begins: headings count anew. */
  begin(): void {
    this.#outline.begin();
  }

  nodes(block: Token): DocumentFragment {
    return this.#purify.sanitize(this.#html(block), allowed);
  }

  #html(block: Token): string {
    try {
      return this.#marked.parser([block]);
    } catch {
      return `<p>${quoted(block.raw)}</p>`;
    }
  }
}

function guard(node: Element): void {
  if (!node.hasAttribute("href")) return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
}

/** HTML in the text: plain marks without attributes stay, everything else is shown as it was written. */
function harmless(text: string): string {
  return text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
    .split(/(<\/?[a-z][a-z0-9]*(?:\s[^<>]*)?\/?>)/i)
    .map((piece) => {
      const [, mark] = /^<(\/?[a-z][a-z0-9]*)/i.exec(piece) ?? [];
      return mark !== undefined && marks.has(mark.replace("/", "").toLowerCase()) ? `<${mark}>` : quoted(piece);
    })
    .join("");
}

function quoted(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
