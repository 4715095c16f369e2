/** Exact replacements in a text, all or none: each must name one place and no other. Pure, and in small steps. */
import { GatewayError, type Pace } from "@chela/sdk";
import { linesAt, placesOf, replacedAll } from "./find.ts";

/** A hint looks at so much of the file, and of what was wanted. */
const maxHintChars = 400_000;
const maxHintLines = 20_000;

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

/** What all edits of one call keep to. */
export interface EditRules {
  /** What would have more is refused before it is made: a short edit of a small file could fill the memory. */
  readonly maxChars: number;
  readonly pace: Pace;
}

/** Line ends of the file stay: an edit written with `\n` also finds `\r\n`, and writes it. */
export async function applyEdits(text: string, edits: readonly Edit[], rules: EditRules): Promise<Edited> {
  let now = text;
  let places = 0;
  for (const [index, edit] of edits.entries()) {
    const done = await applyEdit(now, edit, { ...rules, which: edits.length > 1 ? `edit ${index + 1}: ` : "" });
    now = done.text;
    places += done.places;
  }
  return { text: now, places };
}

async function applyEdit(
  text: string,
  edit: Edit,
  { which, maxChars, pace }: EditRules & { readonly which: string },
): Promise<Edited> {
  if (edit.old_text === "") throw refused(`${which}old_text is empty; use write_file to make a file`);
  if (edit.old_text === edit.new_text) throw refused(`${which}old_text and new_text are the same`);
  const { old, fresh, count, first } = await found(text, edit, pace);
  if (count === 0) throw refused(`${which}old_text is not in the file${await hint(text, old, pace)}`);
  if (count > 1 && !edit.replace_all) {
    const lines = await linesAt(text, first, pace);
    const where = `lines ${lines.join(", ")}${count > lines.length ? " …" : ""}`;
    throw refused(`${which}old_text is there ${count} times (${where}); add lines around it, or say replace_all`);
  }
  const size = text.length + count * (fresh.length - old.length);
  if (size > maxChars)
    throw new GatewayError(
      "FILE_TOO_LARGE",
      413,
      `${which}the file would have ${size} characters; at most ${maxChars}`,
    );
  return { text: await replacedAll(text, { old, fresh }, pace), places: count };
}

async function found(text: string, { old_text, new_text }: Edit, pace: Pace) {
  const crlf = isCrlf(text);
  const places = await placesOf(text, old_text, pace);
  if (places.count > 0) {
    const writesCrlf = old_text.includes("\r\n") || (!old_text.includes("\n") && crlf);
    return { old: old_text, fresh: writesCrlf ? toCrlf(new_text) : new_text, ...places };
  }
  const like = crlf ? toCrlf : toLf;
  const old = like(old_text);
  return { old, fresh: like(new_text), ...(old === old_text ? places : await placesOf(text, old, pace)) };
}

function isCrlf(text: string): boolean {
  return text[text.indexOf("\n") - 1] === "\r";
}

function toCrlf(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}

function toLf(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** The nearest place: where only the white space in the lines is different, or else where the first line is like one. */
async function hint(text: string, old: string, pace: Pace): Promise<string> {
  const lines = text.slice(0, maxHintChars).split("\n", maxHintLines);
  const wanted = old.slice(0, maxHintChars).replace(/\n$/, "").split("\n").map(squeezed);
  const first = wanted.find((line) => line !== "");
  if (first === undefined) return "";
  if (pace.due()) await pace.rest();
  const spaced = lines.map((line) => squeezed(line.slice(0, 2_000)));
  const whole = `\n${spaced.join("\n")}\n`;
  const {
    first: [at],
  } = await placesOf(whole, `\n${wanted.join("\n")}\n`, pace);
  if (at !== undefined) {
    const near = ((await linesAt(whole, [at], pace))[0] as number) - 1;
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
