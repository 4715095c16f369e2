/**
 * Tool calls that a model writes into its text instead of calling: `<function_call>`, `<tool_call>` and DeepSeek's DSML.
 * Text passes as it comes, but for what may be the beginning of such a block; only calls of tools that were offered count,
 * everything else stays the text that it is.
 */

export interface WrittenCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** A block larger than this is text. */
const maxBlock = 1024 * 1024;
const bar = "[\uff5c\u2016|]{1,2}";
const opener = new RegExp(`<(?:function_call|tool_call|${bar}DSML${bar}(?:tool_calls|function_calls|invoke\\b))`);
/** The same, with every bar as one `|`, to know how a piece of text may go on. */
const openers = ["<function_call", "<tool_call", "<|DSML|tool_calls", "<|DSML|function_calls", "<|DSML|invoke"];
const longestOpener = 32;

export class MarkupFilter {
  readonly #known: ReadonlySet<string>;
  readonly #calls: WrittenCall[] = [];
  #held = "";
  /** Up to where `#held` has been searched for the end of its block. */
  #searched = 0;

  /** `tools`: names of those that were offered. */
  constructor(tools: Iterable<string>) {
    this.#known = new Set(tools);
  }

  /** What of the text so far can be shown. */
  pass(piece: string): string {
    if (piece === "") return "";
    this.#held += piece;
    let shown = "";
    for (;;) {
      const from = this.#held.search(opener);
      if (from < 0) return shown + this.#keep(mayOpen(this.#held));
      shown += this.#keep(from);
      const end = this.#blockEnd();
      if (end < 0 && this.#held.length <= maxBlock) return shown;
      const size = end < 0 ? this.#held.length : end;
      if (!this.#take(this.#held.slice(0, size))) shown += this.#held.slice(0, size);
      this.#held = this.#held.slice(size);
      this.#searched = 0;
    }
  }

  /** What was still held, and all calls. A block that never ended counts as far as its calls are whole. */
  end(): { readonly text: string; readonly calls: readonly WrittenCall[] } {
    const text = this.#held !== "" && opener.test(this.#held) && this.#take(this.#held) ? "" : this.#held;
    this.#held = "";
    return { text, calls: this.#calls };
  }

  /** Shows the first `size` characters. */
  #keep(size: number): string {
    const shown = this.#held.slice(0, size);
    if (size > 0) {
      this.#held = this.#held.slice(size);
      this.#searched = 0;
    }
    return shown;
  }

  /** Where the block at the beginning of what is held ends; -1 while it has not. */
  #blockEnd(): number {
    const [, name = ""] = /^<(?:[\uff5c\u2016|]{1,2}DSML[\uff5c\u2016|]{1,2})?(\w+)/.exec(this.#held) ?? [];
    const dsml = this.#held.charAt(1) !== "f" && this.#held.charAt(1) !== "t";
    const close = new RegExp(dsml ? `</${bar}DSML${bar}${name}>` : `</${name}>`, "g");
    close.lastIndex = Math.max(0, this.#searched - longestOpener);
    const found = close.exec(this.#held);
    this.#searched = this.#held.length;
    return found ? found.index + found[0].length : -1;
  }

  #take(block: string): boolean {
    const calls = readBlock(block).filter(({ name }) => this.#known.has(name));
    this.#calls.push(...calls);
    return calls.length > 0;
  }
}

/** From where on the text may be the beginning of a block; its length where it is none. */
function mayOpen(text: string): number {
  const at = text.lastIndexOf("<");
  if (at < 0 || text.length - at > longestOpener) return text.length;
  const tail = text.slice(at).replace(/[\uff5c\u2016|]+/g, "|");
  return openers.some((one) => one.startsWith(tail)) ? at : text.length;
}

function readBlock(block: string): readonly WrittenCall[] {
  const dsml = readParameters(block, new RegExp(`<${bar}DSML${bar}invoke name="([^"]+)">`), {
    part: new RegExp(`<${bar}DSML${bar}parameter name="([^"]+)"([^>]*)>([\\s\\S]*?)</${bar}DSML${bar}parameter>`, "g"),
    close: new RegExp(`</${bar}DSML${bar}invoke>`),
  });
  if (dsml.length > 0) return dsml;
  const tagged = readParameters(block, /<function=([^>\s]+)>/, {
    part: /<parameter=([^>\s]+)()>\n?([\s\S]*?)\n?<\/parameter>/g,
    close: /<\/function>/,
  });
  if (tagged.length > 0) return tagged;
  return readJson(block.replace(/^<\w+>/, "").replace(/<\/\w+>\s*$/, ""));
}

interface Tags {
  readonly part: RegExp;
  readonly close: RegExp;
}

function readParameters(block: string, open: RegExp, { part, close }: Tags): readonly WrittenCall[] {
  const calls: WrittenCall[] = [];
  let rest = block;
  for (let found = open.exec(rest); found; found = open.exec(rest)) {
    rest = rest.slice(found.index + found[0].length);
    const end = close.exec(rest);
    if (!end) break;
    const values = [...rest.slice(0, end.index).matchAll(part)].map(([, name = "", kind = "", value = ""]) => {
      return [name, kind.includes('string="true"') ? value : parsed(value)] as const;
    });
    calls.push({ name: found[1] as string, arguments: JSON.stringify(Object.fromEntries(values)) });
    rest = rest.slice(end.index + end[0].length);
  }
  return calls;
}

function readJson(text: string): readonly WrittenCall[] {
  const value = parsed(text.trim());
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((one: unknown) => {
    const { name, arguments: args, parameters } = (one ?? {}) as Record<string, unknown>;
    if (typeof name !== "string") return [];
    const given = args ?? parameters ?? {};
    return [{ name, arguments: typeof given === "string" ? given : JSON.stringify(given) }];
  });
}

/** JSON where it is, else the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
