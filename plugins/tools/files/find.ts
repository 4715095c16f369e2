/**
 * Finding and replacing a text in another, in time linear in both whatever they hold (`indexOf` can take their product), and
 * in small steps. Pure.
 */
import type { Pace } from "@chela/sdk";

const stepChars = 16_384;
const stepPlaces = 4_096;
const mostFirst = 10;

export interface Places {
  readonly count: number;
  /** Where the first ones begin. */
  readonly first: readonly number[];
}

/** The places of `part`, from left to right, without overlaps. */
export async function placesOf(text: string, part: string, pace: Pace): Promise<Places> {
  const first: number[] = [];
  let count = 0;
  await eachPlace(text, part, pace, (at) => {
    count += 1;
    if (first.length < mostFirst) first.push(at);
  });
  return { count, first };
}

/** With `fresh` at every place of `old`. */
export async function replacedAll(
  text: string,
  { old, fresh }: { readonly old: string; readonly fresh: string },
  pace: Pace,
): Promise<string> {
  const done: string[] = [];
  let pieces: string[] = [];
  let from = 0;
  await eachPlace(text, old, pace, (at) => {
    pieces.push(text.slice(from, at), fresh);
    from = at + old.length;
    if (pieces.length < stepPlaces) return;
    done.push(pieces.join(""));
    pieces = [];
  });
  return done.join("") + pieces.join("") + text.slice(from);
}

async function eachPlace(text: string, part: string, pace: Pace, found: (at: number) => void): Promise<void> {
  if (part === "" || part.length > text.length) return;
  const back = await fallbacks(part, pace);
  let matched = 0;
  const look = (from: number, to: number) => {
    for (let at = from; at < to; at += 1) {
      matched = next(part, back, matched, text.charCodeAt(at));
      if (matched < part.length) continue;
      found(at + 1 - matched);
      matched = 0;
    }
  };
  for (let at = 0; at < text.length; at += stepChars) {
    if (pace.due()) await pace.rest();
    look(at, Math.min(at + stepChars, text.length));
  }
}

/** The line, from 1 on, of each of these places, which are in order. */
export async function linesAt(text: string, places: readonly number[], pace: Pace): Promise<readonly number[]> {
  const lines: number[] = [];
  let line = 1;
  let end = text.indexOf("\n");
  for (const place of places) {
    for (; end >= 0 && end < place; end = text.indexOf("\n", end + 1)) {
      line += 1;
      if (line % stepPlaces === 0 && pace.due()) await pace.rest();
    }
    lines.push(line);
  }
  return lines;
}

/** How much of `part` still fits when one more character does not (Knuth, Morris, Pratt). */
async function fallbacks(part: string, pace: Pace): Promise<Uint32Array> {
  const back = new Uint32Array(part.length);
  let matched = 0;
  for (let at = 1; at < part.length; at += 1) {
    if (at % stepChars === 0 && pace.due()) await pace.rest();
    matched = next(part, back, matched, part.charCodeAt(at));
    back[at] = matched;
  }
  return back;
}

/** Of `part` fits so much, `matched` characters did before. */
function next(part: string, back: Uint32Array, matched: number, code: number): number {
  let fits = matched;
  while (fits > 0 && part.charCodeAt(fits) !== code) fits = back[fits - 1] as number;
  return part.charCodeAt(fits) === code ? fits + 1 : fits;
}
