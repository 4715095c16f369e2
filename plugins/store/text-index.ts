/**
 * A full-text index in FTS5, without a copy of the texts. The words are ours (text-tokens.ts); FTS5 keeps and ranks them.
 * Its segments are merged in small steps of their own after each commit, never inside one, so nothing blocks for long.
 */
import type { IndexedText, Migration, Query, Store, TextHit, TextIndex } from "@chela/sdk";
import { createTokenizer, type Term } from "./text-tokens.ts";

/** The newest texts that match are ranked; a word that is in more of them says little. */
const maxRanked = 1_000;
/** With `groups`: so many matches are looked at. */
const maxScanned = 20_000;
/** Rows that are removed in one commit. */
const removedAtOnce = 100;
/** A few milliseconds of merging. */
const pagesAtOnce = 8;
/** Fewer letters begin too many words. */
const minPrefixChars = 3;

export type IndexHost = Pick<Store, "run" | "all" | "get" | "transaction" | "migrate">;

export class SqliteTextIndex implements TextIndex {
  readonly #store: IndexHost;
  readonly #name: string;
  readonly #tokenizer = createTokenizer();
  #tidying: Promise<void> | undefined;

  constructor(store: IndexHost, name: string) {
    this.#store = store;
    this.#name = `text_${name}`;
  }

  async put(texts: readonly IndexedText[]): Promise<void> {
    if (texts.length === 0) return;
    await this.#tidying;
    const { words, rows } = this.#tables;
    const entries = texts.map(({ group, id, text }) => ({ group, id, ...this.#tokenizer.tokens(text) }));
    await this.#store.transaction(async (query) => {
      for (const entry of entries) {
        await this.#forget(query, entry.group, entry.id);
        const { lastId } = await query.run(`INSERT INTO ${rows} (grp, id) VALUES (?, ?)`, entry.group, entry.id);
        const sql = `INSERT INTO ${words} (rowid, words, singles) VALUES (?, ?, ?)`;
        await query.run(sql, lastId, entry.words, entry.singles);
      }
    });
    this.#tidy();
  }

  async remove(group: string, from = 0): Promise<void> {
    const { words, rows } = this.#tables;
    const sql = `SELECT no FROM ${rows} WHERE grp = ? AND id >= ? ORDER BY id DESC LIMIT ?`;
    for (;;) {
      const found = await this.#store.all<{ no: number }>(sql, group, from, removedAtOnce);
      if (found.length === 0) break;
      await this.#store.transaction(async (query) => {
        for (const { no } of found) {
          await query.run(`DELETE FROM ${words} WHERE rowid = ?`, no);
          await query.run(`DELETE FROM ${rows} WHERE no = ?`, no);
        }
      });
    }
    this.#tidy();
  }

  async search(words: string, options: Parameters<TextIndex["search"]>[1]): Promise<readonly TextHit[]> {
    const terms = this.#tokenizer.terms(words);
    if (terms.length === 0 || options.limit < 1) return [];
    const exact = await this.#find(expression(terms), options);
    const begun = exact.length < options.limit ? unfinished(terms, words) : undefined;
    if (begun === undefined) return exact;
    const known = new Set(exact.map(keyOf));
    const more = (await this.#find(begun, options)).filter((hit) => !known.has(keyOf(hit)));
    return [...exact, ...more].slice(0, options.limit);
  }

  get #tables(): { readonly words: string; readonly rows: string } {
    return { words: this.#name, rows: `${this.#name}_rows` };
  }

  async #forget(query: Query, group: string, id: number): Promise<void> {
    const { words, rows } = this.#tables;
    const known = await query.get<{ no: number }>(`SELECT no FROM ${rows} WHERE grp = ? AND id = ?`, group, id);
    if (!known) return;
    await query.run(`DELETE FROM ${words} WHERE rowid = ?`, known.no);
    await query.run(`DELETE FROM ${rows} WHERE no = ?`, known.no);
  }

  async #find(match: string, { limit, groups }: Parameters<TextIndex["search"]>[1]): Promise<TextHit[]> {
    const { words, rows } = this.#tables;
    const filter = groups ? "AND f.rowid >= ? AND r.grp IN (SELECT value FROM json_each(?))" : "";
    const sql = `SELECT r.grp AS "group", r.id AS id, -bm25(${words}) AS score FROM ${words} f JOIN ${rows} r ON r.no = f.rowid
      WHERE f.${words} MATCH ? ${filter} ORDER BY f.rowid DESC LIMIT ${maxRanked}`;
    const bounds = groups ? [await this.#floor(match), JSON.stringify(groups)] : [];
    const hits = await this.#store.all<TextHit>(sql, match, ...bounds);
    return hits.sort((a, b) => b.score - a.score).slice(0, limit);
  }

  /** Where the newest `maxScanned` matches begin. */
  async #floor(match: string): Promise<number> {
    const { words } = this.#tables;
    const sql = `SELECT MIN(no) AS no FROM (SELECT rowid AS no FROM ${words} WHERE ${words} MATCH ? ORDER BY rowid DESC LIMIT ${maxScanned})`;
    const row = await this.#store.get<{ no: number | null }>(sql, match);
    return Number(row?.no ?? 0);
  }

  /** One merge at a time; a store that is closed or full ends it, and the next change takes it up again. */
  #tidy(): void {
    this.#tidying ??= this.#merge()
      .catch(() => undefined)
      .finally(() => {
        this.#tidying = undefined;
      });
  }

  async #merge(): Promise<void> {
    const { words } = this.#tables;
    for (let going = true; going; ) {
      going = await this.#store.transaction(async (query) => {
        const before = await changes(query);
        await query.run(`INSERT INTO ${words} (${words}, rank) VALUES ('merge', ?)`, pagesAtOnce);
        return (await changes(query)) - before >= 2;
      });
    }
  }
}

/** Tables of the index `name`; the texts themselves are not kept. */
export function indexMigrations(name: string): readonly Migration[] {
  const words = `text_${name}`;
  return [
    {
      version: 1,
      statements: [
        `CREATE TABLE ${words}_rows (no INTEGER PRIMARY KEY, grp TEXT NOT NULL, id INTEGER NOT NULL, UNIQUE (grp, id))`,
        `CREATE VIRTUAL TABLE ${words} USING fts5 (words, singles, content = '', contentless_delete = 1, tokenize = 'ascii')`,
        `INSERT INTO ${words} (${words}, rank) VALUES ('automerge', 0)`,
        `INSERT INTO ${words} (${words}, rank) VALUES ('crisismerge', 1000)`,
      ],
    },
  ];
}

/** Every term is quoted, so nothing in it is an operator; quotes are no part of words. */
function expression(terms: readonly Term[]): string {
  return terms.map(quoted).join(" AND ");
}

function quoted(term: Term): string {
  if (term.kind === "word") return `words : "${term.word}"`;
  return term.kind === "run" ? `words : "${term.pairs.join(" ")}"` : `singles : "${term.character}"`;
}

/** The same with the last word only begun; undefined when the query does not end in a word of letters. */
function unfinished(terms: readonly Term[], query: string): string | undefined {
  const last = terms.at(-1);
  if (last?.kind !== "word" || last.word.length < minPrefixChars || !/[\p{L}\p{N}\p{M}]$/u.test(query))
    return undefined;
  return [...terms.slice(0, -1).map(quoted), `${quoted(last)} *`].join(" AND ");
}

function keyOf({ group, id }: TextHit): string {
  return `${id} ${group}`;
}

async function changes(query: Query): Promise<number> {
  const row = await query.get<{ n: number }>("SELECT total_changes() AS n");
  return Number(row?.n ?? 0);
}
