/**
 * Keeps the text index of the history up to date, beside the writing of it: an append only notes the session's key. Each
 * session's row says how far it has come, so the index can be made anew, and what a crash cut short is done again.
 */
import type { IndexedText, Store, TextIndex } from "@chela/sdk";
import { fitting } from "../message-page.ts";
import { lastSeq } from "../session-rows.ts";
import { firstPiece, piecesOf, type TextRow } from "./pieces.ts";

/** One batch takes a few milliseconds. */
const maxPieces = 64;
const maxChars = 24_576;
const scannedAtOnce = 200;
/** After the last append the gateway counts as idle. */
const idleMs = 1_000;
/** Longest stretch of one round of an idle gateway. */
const roundMs = 2_000;
/** Sessions whose missing messages are counted. */
const maxCounted = 1_000;

const scanSql = `SELECT key, indexed, last FROM (SELECT s.key, s.indexed, ${lastSeq} AS last FROM chat_sessions s
  WHERE s.key > ? ORDER BY s.key LIMIT ${scannedAtOnce}) AS found`;
const sizesSql =
  "SELECT seq, length(content) AS size FROM chat_messages WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?";
const rowsSql = `SELECT seq, role, CASE WHEN length(content) > 600000 THEN substr(content, 1, 600000) ELSE content END AS content
  FROM chat_messages WHERE session = ? AND seq > ? AND seq <= ? ORDER BY seq`;

export interface IndexerOptions {
  readonly store: Store;
  readonly index: TextIndex;
  readonly now?: () => number;
}

interface Progress {
  readonly key: string;
  readonly log: string;
  /** Pieces of the message after `indexed` that are done; all others are whole. */
  readonly piece: number;
  readonly indexed: number;
}

export class Indexer {
  readonly #options: IndexerOptions;
  /** Sessions with messages that may be missing. */
  readonly #waiting = new Set<string>();
  /** Pieces done of a message that is longer than a batch: by log. */
  readonly #within = new Map<string, number>();
  /** Key up to which the sessions were looked through since the start; undefined: all were. */
  #scannedTo: string | undefined = "";
  #touchedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<unknown> = Promise.resolve();
  /** The step that is under way. */
  #stepping: Promise<unknown> = Promise.resolve();
  /** Somebody waits for what is missing. */
  #asked: Promise<boolean> | undefined;
  /** Whoever waits to cut a log short: a round makes room. */
  #cutting = 0;
  #closed = false;

  constructor(options: IndexerOptions) {
    this.#options = options;
  }

  /** A session has new messages. */
  touch(key: string): void {
    this.#waiting.add(key);
    this.#touchedAt = this.#now();
  }

  /** Once in a while: all that is missing while nobody writes, else one batch. */
  async round(): Promise<void> {
    const busy = () => this.#now() - this.#touchedAt < idleMs;
    await this.#catchUp(busy() ? 0 : roundMs, () => busy() || this.#asked !== undefined || this.#cutting > 0);
  }

  /**
   * For `ms`, or until nothing is missing: then it resolves to true. A round that is under way makes room. Whoever asks
   * meanwhile waits with the others and no longer, unless what he wrote himself came too late for them.
   */
  async catchUp(ms: number): Promise<boolean> {
    const others = this.#asked;
    if (others && !((await others) && this.#waiting.size > 0)) return others;
    this.#asked ??= this.#catchUp(ms, () => false).finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  /** At least one batch. */
  #catchUp(ms: number, stop: () => boolean): Promise<boolean> {
    const until = performance.now() + ms;
    return this.#inTurn(async () => {
      do {
        if (this.#closed) return true;
        const step = this.#step();
        this.#stepping = step;
        if (!(await step)) return true;
        await new Promise((resolve) => setImmediate(resolve));
      } while (performance.now() < until && !stop());
      return false;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#running.then(work, work);
    this.#running = mine;
    return mine;
  }

  /** Messages that are known to be missing; a lower bound while the sessions are still looked through. */
  async missing(): Promise<number> {
    const keys = [...this.#waiting].slice(0, maxCounted);
    const sql = `SELECT SUM(last - indexed) AS n FROM (SELECT s.indexed, COALESCE(${lastSeq}, 0) AS last FROM chat_sessions s
      WHERE s.key IN (${keys.map(() => "?").join(", ")})) AS found`;
    const row = keys.length > 0 ? await this.#options.store.get<{ n: number | null }>(sql, ...keys) : undefined;
    return Number(row?.n ?? 0);
  }

  /** Looks through all sessions again, as if nothing had been indexed. What is found already stays found. */
  rescan(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#options.store.run("UPDATE chat_sessions SET indexed = 0 WHERE indexed > 0");
      this.#within.clear();
      this.#scannedTo = "";
    });
  }

  /** Does `work`, which removes the messages of a log from `seq` on. Before, the index forgets them; should it fail, they are read again. */
  cut(key: string, log: string, seq: number, work: () => Promise<void>): Promise<void> {
    const { store, index } = this.#options;
    this.#cutting += 1;
    return this.#inTurn(async () => {
      this.#within.delete(log);
      this.#waiting.add(key);
      await store.run("UPDATE chat_sessions SET indexed = ? WHERE key = ? AND indexed >= ?", seq - 1, key, seq);
      await index.remove(log, firstPiece(seq));
      await work();
    }).finally(() => {
      this.#cutting -= 1;
    });
  }

  /** Of a log that no session has any more. After that nothing of it is put into the index. */
  async forget(log: string): Promise<void> {
    await this.#stepping.catch(() => undefined);
    this.#within.delete(log);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.catch(() => undefined);
  }

  /** One batch, or one look at the next sessions. False when nothing is left. */
  async #step(): Promise<boolean> {
    if (this.#waiting.size === 0) return this.#scan();
    const keys = [...first(this.#waiting, maxPieces)];
    try {
      await this.#batch(keys);
    } catch (error) {
      for (const key of keys) this.#waiting.add(key);
      throw error;
    }
    return true;
  }

  /** As many of these sessions as fit. Each is taken off the list before it is read: what comes meanwhile puts it back. */
  async #batch(keys: readonly string[]): Promise<void> {
    const texts: IndexedText[] = [];
    const done: Progress[] = [];
    let chars = 0;
    for (const key of keys) {
      if (texts.length >= maxPieces || chars >= maxChars) break;
      this.#waiting.delete(key);
      const found = await this.#read(key, { pieces: maxPieces - texts.length, chars: maxChars - chars });
      if (!found) continue;
      texts.push(...found.texts);
      chars += found.texts.reduce((sum, { text }) => sum + text.length, 0);
      done.push(found.progress);
      if (found.more) this.#waiting.add(key);
    }
    await this.#write(texts, done);
  }

  async #write(texts: readonly IndexedText[], done: readonly Progress[]): Promise<void> {
    const { store, index } = this.#options;
    await index.put(texts);
    const sql = "UPDATE chat_sessions SET indexed = ? WHERE key = ? AND COALESCE(log, key) = ?";
    // Together: they share a commit.
    await Promise.all(done.map(({ key, log, indexed }) => store.run(sql, indexed, key, log)));
    for (const { log, piece } of done) {
      if (piece > 0) this.#within.set(log, piece);
      else this.#within.delete(log);
    }
  }

  /** The next texts of a session, at least one piece; undefined when there are none. */
  async #read(key: string, room: { pieces: number; chars: number }) {
    const { store } = this.#options;
    const placeSql = "SELECT COALESCE(log, key) AS log, indexed FROM chat_sessions WHERE key = ?";
    const place = await store.get<{ log: string; indexed: number }>(placeSql, key);
    if (!place) return undefined;
    const { log } = place;
    const from = Number(place.indexed);
    const sizes = await store.all<{ seq: number; size: number }>(sizesSql, log, from, room.pieces + 1);
    const until = sizes[fitting(sizes.slice(0, room.pieces), room.chars) - 1];
    if (!until) return undefined;
    const rows = await store.all<TextRow>(rowsSql, log, from, until.seq);
    const texts: IndexedText[] = [];
    let indexed = from;
    let piece = this.#within.get(log) ?? 0;
    let chars = 0;
    for (const row of rows) {
      const pieces = piecesOf(row);
      for (; piece < pieces.length; piece++) {
        if (texts.length > 0 && (texts.length >= room.pieces || chars >= room.chars)) break;
        const { id, text } = pieces[piece] as { id: number; text: string };
        texts.push({ group: log, id, text });
        chars += text.length;
      }
      if (piece < pieces.length) break;
      indexed = Number(row.seq);
      piece = 0;
    }
    const more = indexed < Number(until.seq) || sizes.length > rows.length;
    return { texts, progress: { key, log, piece, indexed }, more };
  }

  async #scan(): Promise<boolean> {
    const after = this.#scannedTo;
    if (after === undefined) return false;
    const rows = await this.#options.store.all<{ key: string; indexed: number; last: number | null }>(scanSql, after);
    for (const { key, indexed, last } of rows) if (Number(last ?? 0) > Number(indexed)) this.#waiting.add(key);
    if (this.#scannedTo === after) this.#scannedTo = rows.length < scannedAtOnce ? undefined : rows.at(-1)?.key;
    return true;
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }
}

function* first<T>(of: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const item of of) {
    if (left-- <= 0) return;
    yield item;
  }
}
