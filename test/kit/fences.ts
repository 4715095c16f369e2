/** The fenced blocks of a Markdown document: language, the words behind it, and the text. */

export interface Fence {
  readonly language: string;
  /** `file=hello/index.ts` gives `{ file: "hello/index.ts" }`; a bare word gives `{ word: "" }`. */
  readonly info: Readonly<Record<string, string>>;
  readonly text: string;
  readonly line: number;
}

export function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  let open: { language: string; info: Record<string, string>; lines: string[]; line: number } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    const mark = /^```(\S*)\s*(.*)$/.exec(line);
    if (mark && open) {
      found.push({ language: open.language, info: open.info, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else if (mark) {
      const words = (mark[2] ?? "").split(/\s+/).filter(Boolean);
      const info = Object.fromEntries(words.map((word) => [word.split("=")[0], word.split("=")[1] ?? ""]));
      open = { language: mark[1] ?? "", info, lines: [], line: index + 1 };
    } else open?.lines.push(line);
  }
  if (open) throw new Error(`the block opened in line ${open.line} is not closed`);
  return found;
}
