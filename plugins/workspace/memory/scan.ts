/** Search without an index: every passage is looked at. Words as the index takes them: letter case and width do not count. */
import type { Passage } from "./passages.ts";

const mostWords = 16;

export function wordsOf(text: string): readonly string[] {
  const words = folded(text.slice(0, 2_000)).match(/[\p{L}\p{N}_]+/gu) ?? [];
  return [...new Set(words)].slice(0, mostWords);
}

/** How many times the words stand there, in relation to the length; 0 unless all are there. */
export function scoreOf(passage: Passage, words: readonly string[]): number {
  const text = folded(passage.text);
  let found = 0;
  for (const word of words) {
    const times = text.split(word).length - 1;
    if (times === 0) return 0;
    found += times;
  }
  return found / Math.log2(text.length + 8);
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
