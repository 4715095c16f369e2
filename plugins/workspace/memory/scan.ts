/** Search without an index: every passage is looked at. Words as the index takes them: letter case and width do not count. */
import type { Passage } from "./passages.ts";

const mostWords = 16;

export function wordsOf(text: string): readonly string[] {
  const words = folded(text.slice(0, 2_000)).match(/[\p{L}\p{N}_]+/gu) ?? [];
  return [...new Set(words)].slice(0, mostWords);
}

export interface Match {
  /** How many of the words are there. */
  readonly words: number;
  /** How many times they stand there, in relation to the length. */
  readonly score: number;
}

export function matchOf(passage: Passage, words: readonly string[]): Match {
  const text = folded(passage.text);
  const times = words.map((word) => text.split(word).length - 1).filter((count) => count > 0);
  const sum = times.reduce((all, count) => all + count, 0);
  return { words: times.length, score: sum / Math.log2(text.length + 8) };
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
