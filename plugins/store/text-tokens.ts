/**
 * What counts as a word. Chinese, Japanese, Korean and the scripts that write no spaces become pairs of characters, so
 * that any run of them can be found; everything else becomes words. Index and query go through the same function.
 */

/** A text is searchable up to here. What is longer is a dump of something and no speech. */
export const maxIndexedChars = 65_536;
const maxQueryChars = 1_000;
const maxQueryWords = 24;
/** Longer words are cut on both sides alike. */
const maxWordChars = 64;

const unspaced =
  "\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}\\p{sc=Bopo}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}ー";

export interface Tokens {
  /** Words and pairs of characters, in their order, separated by spaces. */
  readonly words: string;
  /** Single characters of scripts without spaces, each once. */
  readonly singles: string;
}

/** One term of a query; all terms must be there. */
export type Term =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "run"; readonly pairs: readonly string[] }
  | { readonly kind: "single"; readonly character: string };

/** Made once for each index: the expressions are compiled when they are first needed. */
export function createTokenizer(): { tokens(text: string): Tokens; terms(query: string): readonly Term[] } {
  const part = new RegExp(`([${unspaced}]+)|([[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]+)`, "gv");
  const parts = (text: string) => folded(text).matchAll(part);
  return {
    tokens(text) {
      const words: string[] = [];
      const singles = new Set<string>();
      for (const [, run, word = ""] of parts(text.slice(0, maxIndexedChars))) {
        if (run === undefined) words.push(word.slice(0, maxWordChars));
        else addRun([...run], words, singles);
      }
      return { words: words.join(" "), singles: [...singles].join(" ") };
    },
    terms(query) {
      const terms: Term[] = [];
      for (const [, run, word = ""] of parts(query.slice(0, maxQueryChars))) {
        if (terms.length === maxQueryWords) break;
        terms.push(run === undefined ? { kind: "word", word: word.slice(0, maxWordChars) } : runTerm([...run]));
      }
      return terms;
    },
  };
}

function addRun(characters: readonly string[], words: string[], singles: Set<string>): void {
  for (const character of characters) singles.add(character);
  for (const pair of pairsOf(characters)) words.push(pair);
}

function runTerm(characters: readonly string[]): Term {
  const pairs = pairsOf(characters);
  return pairs.length === 0 ? { kind: "single", character: characters[0] ?? "" } : { kind: "run", pairs };
}

function pairsOf(characters: readonly string[]): string[] {
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/** One form for what reads the same: width, composition, letter case, and the accents of Latin, Greek and Cyrillic letters. */
function folded(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  const lower = text.normalize("NFKC").toLowerCase();
  return lower
    .normalize("NFD")
    .replace(/([a-zͰ-ϿЀ-ӿ])\p{M}+/gu, "$1")
    .normalize("NFC");
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
