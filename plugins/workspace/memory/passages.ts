/** A note cut into passages: what a search finds and shows. Paragraphs, long ones at line ends; each knows where it begins. */
import type { Pace } from "@chela/sdk";

export interface Passage {
  /** 1-based. */
  readonly line: number;
  readonly text: string;
}

const most = 800;
const mostOfLine = 4_000;
const mostPassages = 20_000;
const stepLines = 256;

export async function passagesOf(text: string, pace: Pace): Promise<readonly Passage[]> {
  const plain = text.replace(/\r\n?/g, "\n");
  const passages: Passage[] = [];
  let open: { line: number; lines: string[]; length: number } | undefined;
  const close = () => {
    if (open) passages.push({ line: open.line, text: open.lines.join("\n") });
    open = undefined;
  };
  for (let at = 0, line = 1; at < plain.length && passages.length < mostPassages; line += 1) {
    if (line % stepLines === 0 && pace.due()) await pace.rest();
    const end = plain.indexOf("\n", at);
    const shown = plain.slice(at, end < 0 ? plain.length : end).trimEnd();
    at = end < 0 ? plain.length : end + 1;
    if (shown === "") {
      close();
      continue;
    }
    // A heading begins a passage, and what follows it belongs to it.
    if (open && (open.length + shown.length > most || /^#{1,6} /.test(shown))) close();
    for (const piece of pieces(shown)) {
      if (open && open.length + piece.length > mostOfLine) close();
      open ??= { line, lines: [], length: 0 };
      open.lines.push(piece);
      open.length += piece.length;
    }
  }
  close();
  return passages;
}

function pieces(line: string): readonly string[] {
  if (line.length <= mostOfLine) return [line];
  const found: string[] = [];
  for (let at = 0; at < line.length; at += mostOfLine) found.push(line.slice(at, at + mostOfLine));
  return found;
}
