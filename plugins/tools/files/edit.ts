/** Exact replacements in a text, all or none: each must name one place and no other. Pure. */
import { GatewayError } from "@chela/sdk";

export interface Edit {
  readonly old_text: string;
  readonly new_text: string;
  /** Every place instead of the only one. */
  readonly replace_all?: boolean | undefined;
}

export interface Edited {
  readonly text: string;
  /** Places that changed. */
  readonly places: number;
}

/**
 * Line ends of the file stay: an edit written with `\n` also finds `\r\n`, and writes it. What would have more than
 * `maxChars` is refused before it is made: a short edit of a small file could fill the memory.
 */
export function applyEdits(text: string, edits: readonly Edit[], maxChars: number): Edited {
  let now = text;
  let places = 0;
  for (const [index, edit] of edits.entries()) {
    const done = applyEdit(now, edit, { which: edits.length > 1 ? `edit ${index + 1}: ` : "", maxChars });
    now = done.text;
    places += done.places;
  }
  return { text: now, places };
}

function applyEdit(text: string, edit: Edit, { which, maxChars }: { which: string; maxChars: number }): Edited {
  if (edit.old_text === "") throw refused(`${which}old_text is empty; use write_file to make a file`);
  if (edit.old_text === edit.new_text) throw refused(`${which}old_text and new_text are the same`);
  const { old, fresh } = inLineEndsOf(text, edit);
  const { count, first } = placesOf(text, old);
  if (count === 0) throw refused(`${which}old_text is not in the file${hint(text, old)}`);
  if (count > 1 && !edit.replace_all) {
    const lines = first.map((at) => lineAt(text, at));
    const where = `lines ${lines.join(", ")}${count > first.length ? " …" : ""}`;
    throw refused(`${which}old_text is there ${count} times (${where}); add lines around it, or say replace_all`);
  }
  const size = text.length + count * (fresh.length - old.length);
  if (size > maxChars)
    throw new GatewayError(
      "FILE_TOO_LARGE",
      413,
      `${which}the file would have ${size} characters; at most ${maxChars}`,
    );
  return { text: text.split(old).join(fresh), places: count };
}

function inLineEndsOf(text: string, { old_text, new_text }: Edit): { old: string; fresh: string } {
  if (text.includes(old_text)) {
    const crlf = old_text.includes("\r\n") || (!old_text.includes("\n") && isCrlf(text));
    return { old: old_text, fresh: crlf ? toCrlf(new_text) : new_text };
  }
  if (isCrlf(text)) return { old: toCrlf(old_text), fresh: toCrlf(new_text) };
  return { old: old_text.replaceAll("\r\n", "\n"), fresh: new_text.replaceAll("\r\n", "\n") };
}

function isCrlf(text: string): boolean {
  return /^[^\n]*\r\n/.test(text);
}

function toCrlf(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}

function placesOf(text: string, part: string): { readonly count: number; readonly first: readonly number[] } {
  const first: number[] = [];
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    count += 1;
    if (first.length < 10) first.push(at);
  }
  return { count, first };
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line += 1;
  return line;
}

/** The nearest place: where only the white space in the lines is different, or else where the first line is like one. */
function hint(text: string, old: string): string {
  const lines = text.split("\n").slice(0, 20_000);
  const wanted = old.replace(/\n$/, "").split("\n").map(squeezed);
  const first = wanted.find((line) => line !== "");
  if (first === undefined) return "";
  const spaced = lines.map((line) => squeezed(line.slice(0, 2_000)));
  const whole = `\n${spaced.join("\n")}\n`;
  const at = whole.indexOf(`\n${wanted.join("\n")}\n`);
  if (at >= 0) {
    const near = lineAt(whole, at) - 1;
    const last = near + wanted.length;
    return `; lines ${near + 1} to ${last} differ only in white space:\n${shown(lines, near, wanted.length)}`;
  }
  const like = likest(spaced, first);
  if (like < 0) return "; read the file again";
  const from = Math.max(0, like - wanted.indexOf(first));
  return `; the nearest is at line ${from + 1}:\n${shown(lines, from, Math.min(wanted.length, 8))}`;
}

/** The line that has most in common with `wanted` at its beginning and end; -1 when none has half of it. */
function likest(lines: readonly string[], wanted: string): number {
  let best = -1;
  let most = Math.max(3, wanted.length / 2);
  for (const [at, line] of lines.entries()) {
    const score = common(line.slice(0, 500), wanted.slice(0, 500));
    if (score <= most) continue;
    most = score;
    best = at;
  }
  return best;
}

function common(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return start + end;
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function shown(lines: readonly string[], from: number, count: number): string {
  return lines
    .slice(from, from + Math.min(count, 20))
    .map((line) => line.slice(0, 300))
    .join("\n");
}

function refused(message: string): GatewayError {
  return new GatewayError("EDIT_REFUSED", 400, message);
}
