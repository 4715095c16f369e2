/** The part of a text around the words somebody looked for, on one line. Pure. */

const beforeChars = 60;
const passageChars = 240;

/** Starts shortly before the first of the longest words that is there, else at the beginning. */
export function passage(text: string, words: string): string {
  const { folded, origin } = foldedWithOrigin(text);
  const wanted = (fold(words).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).sort((a, b) => b.length - a.length);
  const at = folded.indexOf(wanted.find((word) => folded.includes(word)) ?? "");
  const hit = origin[at] ?? 0;
  const from = hit <= beforeChars ? 0 : wordStart(text, hit - beforeChars, hit);
  const until = from + passageChars;
  const line = text.slice(safe(text, from), safe(text, until)).replaceAll(/\s+/g, " ").trim();
  return `${from > 0 ? "…" : ""}${line}${until < text.length ? "…" : ""}`;
}

/** After the first blank between the two, if there is one. */
function wordStart(text: string, from: number, hit: number): number {
  const blank = text.slice(from, hit).search(/\s/);
  return blank < 0 ? from : from + blank + 1;
}

/** Never between the halves of a pair. */
function safe(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}

/** `origin[i]` is where the i-th character of `folded` comes from. */
function foldedWithOrigin(text: string): { folded: string; origin: readonly number[] } {
  const origin: number[] = [];
  let folded = "";
  let index = 0;
  for (const character of text) {
    const piece = fold(character);
    for (let n = 0; n < piece.length; n++) origin.push(index);
    folded += piece;
    index += character.length;
  }
  return { folded, origin };
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
