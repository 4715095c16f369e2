/**
 * Finds sessions by what was said in them. Before it answers the index is brought up to date for a bounded time; what is
 * missing after that is counted and said.
 */
import type { SessionHit, SessionInfo, SessionQuery, Store, TextHit, TextIndex } from "@chela/sdk";
import { infosOfLogs, logsOf } from "../session-rows.ts";
import type { Indexer } from "./indexer.ts";
import { passage } from "./passage.ts";
import { pieceAt, type TextRow, textOf } from "./pieces.ts";

const defaultLimit = 5;
const maxLimit = 100;
const catchUpMs = 300;
/** Passages that are ranked at once. */
const maxHits = 1_000;
const snippetsEach = 3;
/** Sessions among which is looked again when the first look found too few. */
const maxGroups = 20_000;

export interface Found {
  readonly hits: readonly SessionHit[];
  /** Messages that the index does not hold yet. */
  readonly missing: number;
}

interface Candidate {
  readonly log: string;
  readonly session: SessionInfo;
  readonly hits: readonly TextHit[];
  readonly score: number;
}

export interface SearchParts {
  readonly store: Store;
  readonly index: TextIndex;
  readonly indexer: Indexer;
  /** Of the older part of a log, where there is one. */
  summary(log: string): Promise<string | undefined>;
}

/** How a session begins: what the user said in its first messages, else the first of them. */
const beginningSql = `SELECT seq, role, substr(content, 1, 2000) AS content FROM chat_messages
  WHERE session = ? AND seq <= 10 ORDER BY role = 'user' DESC, seq LIMIT 1`;

export class Search {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  async find(query: SessionQuery): Promise<Found> {
    if (query.words.trim() === "") return { hits: [], missing: 0 };
    const complete = await this.#parts.indexer.catchUp(catchUpMs).catch(() => false);
    const limit = Math.min(Math.max(Math.trunc(query.limit ?? defaultLimit) || defaultLimit, 1), maxLimit);
    const candidates = await this.#candidates(query, limit);
    const hits: SessionHit[] = [];
    for (const candidate of candidates.slice(0, limit)) hits.push(await this.#hit(candidate, query.words));
    return { hits, missing: complete ? 0 : await this.#parts.indexer.missing() };
  }

  async #candidates(query: SessionQuery, limit: number): Promise<readonly Candidate[]> {
    const hits = await this.#parts.index.search(query.words, { limit: maxHits });
    const found = await this.#bySession(hits, query);
    if (hits.length < maxHits || found.length >= limit) return found;
    // One session, or those that do not count, took all places: once more without them.
    const taken = new Set(found.map(({ log }) => log));
    const groups = (await logsOf(this.#parts.store, query, maxGroups)).filter((log) => !taken.has(log));
    const more = await this.#parts.index.search(query.words, { limit: maxHits, groups });
    return ranked([...found, ...(await this.#bySession(more, query))]);
  }

  async #bySession(hits: readonly TextHit[], query: SessionQuery): Promise<readonly Candidate[]> {
    const byLog = new Map<string, TextHit[]>();
    for (const hit of hits) {
      const known = byLog.get(hit.group);
      if (known) known.push(hit);
      else byLog.set(hit.group, [hit]);
    }
    const sessions = await infosOfLogs(this.#parts.store, query, [...byLog.keys()]);
    return ranked(
      sessions.map(({ log, session }) => {
        const own = byLog.get(log) ?? [];
        return { log, session, hits: own, score: scoreOf(own) };
      }),
    );
  }

  async #hit({ log, session, hits, score }: Candidate, words: string): Promise<SessionHit> {
    const snippets: { seq: number; role: string; text: string }[] = [];
    for (const { id } of hits) {
      if (snippets.length === snippetsEach) break;
      const { seq, from, until } = pieceAt(id);
      if (snippets.some((snippet) => snippet.seq === seq)) continue;
      const sql = "SELECT seq, role, content FROM chat_messages WHERE session = ? AND seq = ?";
      const row = await this.#parts.store.get<TextRow>(sql, log, seq);
      if (row) snippets.push({ seq, role: row.role, text: passage(textOf(row).slice(from, until), words) });
    }
    return { session, summary: await this.#about(log), score, snippets };
  }

  async #about(log: string): Promise<string> {
    const { store, summary } = this.#parts;
    const found = (await summary(log)) ?? (await store.get<TextRow>(beginningSql, log));
    return found === undefined ? "" : passage(typeof found === "string" ? found : textOf(found), "");
  }
}

/** The best passage decides; two more say that it was talked about. */
function scoreOf(hits: readonly TextHit[]): number {
  const [best, second, third] = hits.map(({ score }) => score);
  return (best ?? 0) + ((second ?? 0) + (third ?? 0)) / 4;
}

function ranked(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...candidates].sort((a, b) => b.score - a.score || b.session.updatedAt - a.session.updatedAt);
}
