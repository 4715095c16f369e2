/**
 * The full-text index of the notes. A table tells which file was indexed in which version (size and time), so that only what
 * changed is read again. The files are the truth; the index can be lost.
 */
import type { IndexedText, Migration, Pace, Store, TextIndex } from "@chela/sdk";
import type { NoteFacts } from "./notes.ts";
import { passagesOf } from "./passages.ts";

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      "CREATE TABLE workspace_notes (path TEXT NOT NULL PRIMARY KEY, root TEXT NOT NULL, size BIGINT NOT NULL, modified_at BIGINT NOT NULL)",
    ],
  },
];

interface Indexed {
  readonly path: string;
  readonly root: string;
  readonly size: number;
  readonly modified_at: number;
}

/** One commit takes a few milliseconds, in which nobody else is served. */
const mostPassages = 64;
const mostChars = 12_288;

export interface NoteSource {
  readonly root: string;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  /** Texts of these files, in order; undefined for what cannot be searched. */
  read(paths: readonly string[]): Promise<readonly (string | undefined)[]>;
}

export class NoteIndex {
  readonly #store: Store;
  #index: Promise<TextIndex> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Makes the index of all that `holds` says yes to what `notes` are. */
  async sync(notes: readonly NoteFacts[], holds: (path: string) => boolean, source: NoteSource): Promise<void> {
    await this.#open();
    const rows = await this.#store.all<Indexed>("SELECT path, root, size, modified_at FROM workspace_notes");
    const known = new Map(rows.map((row) => [row.path, row]));
    const there = new Set(notes.map(({ path }) => path));
    for (const { path } of rows) if (!there.has(path) && holds(path)) await this.forget(path);
    await this.#put(
      notes.filter((note) => !isSame(known.get(note.path), note, source.root)),
      (path) => known.has(path),
      source,
    );
  }

  /** These files only. */
  async renew(notes: readonly NoteFacts[], source: NoteSource): Promise<void> {
    await this.#put(notes, () => true, source);
  }

  async forget(path: string): Promise<void> {
    await (await this.#open()).remove(path);
    await this.#store.run("DELETE FROM workspace_notes WHERE path = ?", path);
  }

  async search(words: string, limit: number, paths: readonly string[]) {
    return (await this.#open()).search(words, { limit, groups: paths });
  }

  #open(): Promise<TextIndex> {
    this.#index ??= (async () => {
      await this.#store.migrate("workspace", migrations);
      return this.#store.textIndex("workspace_notes_text");
    })();
    this.#index.catch(() => {
      this.#index = undefined;
    });
    return this.#index;
  }

  async #put(notes: readonly NoteFacts[], known: (path: string) => boolean, source: NoteSource): Promise<void> {
    for (let at = 0; at < notes.length; ) {
      source.signal.throwIfAborted();
      const some = notes.slice(at, at + 16);
      const texts = await source.read(some.map(({ path }) => path));
      at += some.length;
      await this.#commit(some, texts, { ...source, known });
    }
  }

  /** The rows last: a crash in between leads to the same work once more. */
  async #commit(
    notes: readonly NoteFacts[],
    texts: readonly (string | undefined)[],
    { known, root, pace }: NoteSource & { readonly known: (path: string) => boolean },
  ): Promise<void> {
    const index = await this.#open();
    const entries: IndexedText[] = [];
    const ends: [string, number][] = [];
    for (const [at, { path }] of notes.entries()) {
      const passages = await passagesOf(texts[at] ?? "", pace);
      for (const [id, { text }] of passages.entries()) entries.push({ group: path, id, text });
      if (known(path)) ends.push([path, passages.length]);
    }
    for (const batch of batches(entries)) {
      if (pace.due()) await pace.rest();
      await index.put(batch);
    }
    for (const [path, from] of ends) await index.remove(path, from);
    await this.#store.transaction(async (query) => {
      for (const { path, size, modifiedAt } of notes) {
        await query.run("DELETE FROM workspace_notes WHERE path = ?", path);
        const sql = "INSERT INTO workspace_notes (path, root, size, modified_at) VALUES (?, ?, ?, ?)";
        await query.run(sql, path, root, size, modifiedAt);
      }
    });
  }
}

function* batches(entries: readonly IndexedText[]): Generator<readonly IndexedText[]> {
  let batch: IndexedText[] = [];
  let chars = 0;
  for (const entry of entries) {
    if (batch.length >= mostPassages || (batch.length > 0 && chars + entry.text.length > mostChars)) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push(entry);
    chars += entry.text.length;
  }
  if (batch.length > 0) yield batch;
}

function isSame(row: Indexed | undefined, { size, modifiedAt }: NoteFacts, root: string): boolean {
  return row?.root === root && row.size === size && row.modified_at === modifiedAt;
}
