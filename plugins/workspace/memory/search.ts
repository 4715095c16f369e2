/**
 * Searching a memory: by the index where there is a store; by reading where there is none, where it fails, and while an
 * index that is not ready yet would keep the asker waiting.
 */
import type { Logger, MemoryHit, Pace, Pacer, Store } from "@chela/sdk";
import type { Tree } from "../tree.ts";
import { KnownNotes } from "./known-notes.ts";
import type { NoteIndex } from "./note-index.ts";
import { readNote, readNotes } from "./note-texts.ts";
import type { Notes } from "./notes.ts";
import { type Passage, passagesOf } from "./passages.ts";
import { matchOf, wordsOf } from "./scan.ts";

export interface SearchParts {
  readonly tree: Tree;
  readonly notes: Notes;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly pacer: Pacer;
  store(): Store | undefined;
}

const mostHits = 100;
/** For an index that is being made; it goes on behind. */
const patienceMs = 1_500;
const atOnce = 16;

export class MemorySearch {
  readonly #parts: SearchParts;
  /** Of each database, and gone with it. */
  readonly #known = new WeakMap<Store, KnownNotes>();

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** A path below the workspace changed, or everything may have: the next search looks first. */
  stale(path?: string): void {
    const store = this.#parts.store();
    if (store) this.#known.get(store)?.stale(path);
  }

  /** A note was deleted: so is what the index has of it, without waiting for the next search. */
  async forget(path: string): Promise<void> {
    try {
      await this.#knownNotes()?.index.forget(path);
    } catch (error) {
      this.#parts.log.warn({ error, path }, "a note that was deleted could not be taken out of the index yet");
    }
  }

  async find(words: string, limit: number, agent?: string): Promise<readonly MemoryHit[]> {
    const wanted = wordsOf(words);
    const most = Math.max(1, Math.min(Math.trunc(limit) || 1, mostHits));
    if (wanted.length === 0) return [];
    const known = this.#knownNotes();
    if (known) {
      try {
        const paths = await soon(known.upToDate(agent));
        if (paths) return await this.#indexed(known.index, paths, { words: wanted, most });
      } catch (error) {
        this.#parts.log.warn({ error }, "the index of the memory failed; the notes are read instead");
      }
    }
    return this.#scanned(wanted, most, agent);
  }

  #knownNotes(): KnownNotes | undefined {
    const store = this.#parts.store();
    if (!store) return undefined;
    const known = this.#known.get(store) ?? new KnownNotes(store, this.#parts);
    this.#known.set(store, known);
    return known;
  }

  async #indexed(
    index: NoteIndex,
    paths: readonly string[],
    { words, most }: { readonly words: readonly string[]; readonly most: number },
  ): Promise<readonly MemoryHit[]> {
    if (paths.length === 0) return [];
    let found = await index.search(words.join(" "), most, paths);
    if (found.length === 0 && words.length > 1) found = await anyWord(index, words, { most, paths });
    const pace = this.#pace();
    const read = new Map<string, Promise<readonly Passage[]>>();
    const passages = (path: string) => {
      const known =
        read.get(path) ?? readNote(this.#parts.tree, path, pace).then((text) => passagesOf(text ?? "", pace));
      read.set(path, known);
      return known;
    };
    const hits = await Promise.all(
      found.map(async ({ group, id, score }) => {
        const passage = (await passages(group))[id];
        return passage && { path: group, line: passage.line, text: passage.text, score };
      }),
    );
    return hits.filter((hit) => hit !== undefined);
  }

  async #scanned(words: readonly string[], most: number, agent: string | undefined): Promise<readonly MemoryHit[]> {
    const pace = this.#pace();
    const [all, some] = [new BestHits(most), new BestHits(most)];
    const paths = (await this.#parts.notes.all(agent)).map(({ path }) => path);
    for (let at = 0; at < paths.length; at += atOnce) {
      const few = paths.slice(at, at + atOnce);
      for (const [index, text] of (await readNotes(this.#parts.tree, few, pace)).entries()) {
        const path = few[index] as string;
        for (const passage of await passagesOf(text ?? "", pace)) {
          if (pace.due()) await pace.rest();
          const match = matchOf(passage, words);
          if (match.words === words.length) all.add({ path, ...passage, score: match.score });
          else if (match.words > 0) some.add({ path, ...passage, score: match.words / words.length });
        }
      }
    }
    const hits = all.take();
    return hits.length > 0 ? hits : some.take();
  }

  #pace(): Pace {
    return this.#parts.pacer.pace(this.#parts.signal);
  }
}

/** The hits with the highest scores, without ever keeping many others. */
class BestHits {
  readonly #most: number;
  #hits: MemoryHit[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(hit: MemoryHit): void {
    this.#hits.push(hit);
    if (this.#hits.length >= this.#most * 8) this.#hits = this.take();
  }

  take(): MemoryHit[] {
    return this.#hits.toSorted((a, b) => b.score - a.score).slice(0, this.#most);
  }
}

/** Nothing has all the words: what has the most of them. */
async function anyWord(
  index: NoteIndex,
  words: readonly string[],
  { most, paths }: { readonly most: number; readonly paths: readonly string[] },
) {
  const sums = new Map<string, { group: string; id: number; score: number }>();
  for (const word of words) {
    for (const { group, id, score } of await index.search(word, most * 4, paths)) {
      const key = `${id} ${group}`;
      const sum = sums.get(key) ?? { group, id, score: 0 };
      // A further word counts more than the same one again.
      sum.score += 1 + Math.min(Math.max(score, 0), 100) / 1_000;
      sums.set(key, sum);
    }
  }
  return [...sums.values()].sort((a, b) => b.score - a.score).slice(0, most);
}

/** Undefined when it takes longer than somebody should wait. */
async function soon<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patienceMs, undefined);
  });
  // When nobody waits any more, its failure is the next search's to tell.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
