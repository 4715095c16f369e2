/**
 * Keeps conversations within what a model can read: gives the newest messages with a summary of what is older, and makes
 * the summary, in the background when many messages have come together, at once when the window is full. A summary that
 * fails costs nothing but the older messages, which stay in the log.
 */
import { BoundedMap, type Message, type ModelRequest, type Turn } from "@chela/sdk";
import type { SessionTable } from "../../sessions/session-table.ts";
import type { SequencedMessage } from "../../sessions/tables.ts";
import type { AgentsSettings } from "../../settings.ts";
import type { Summary, SummaryTable } from "./summary-table.ts";
import { tokensOf } from "./tokens.ts";
import { middleOut, summaryRequest } from "./transcript.ts";

export interface Earlier {
  readonly summary: Summary | undefined;
  readonly messages: readonly SequencedMessage[];
}

/** How far a summary goes: everything before `before` but the newest `keep`, and of those only what fits into `tokens`. */
export interface Extent {
  readonly before: number;
  readonly keep: number;
  readonly tokens?: number;
}

export interface SummaryCaller {
  readonly turn: Turn;
  readonly model: string;
  readonly fallbacks: readonly string[];
}

export interface CompactorOptions {
  readonly sessions: SessionTable;
  readonly summaries: SummaryTable;
  settings(): AgentsSettings;
  /** Asks a model on behalf of a turn, outside of its conversation. */
  ask(request: ModelRequest, turn: Turn, signal: AbortSignal): Promise<string>;
  /** Tells of a summary that failed. */
  failed(error: unknown, session: string): void;
  readonly now?: () => number;
}

/** Messages that one summary may stand for, beside the one before it. */
const mostAtOnce = 1_000;
const mostInBackground = 2;
/** After a summary that failed: each call of a turn would ask for it again. */
const pauseMs = 60_000;
const rememberedSessions = 1_000;

export class Compactor {
  readonly #options: CompactorOptions;
  /** Sessions that are being summed up. */
  readonly #open = new Map<string, { stop(): void; done: Promise<unknown> }>();
  /** When the next summary of a session may be tried, where one has failed. */
  readonly #pauses = new BoundedMap<string, number>(rememberedSessions);

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.settings().defaults.context_compaction.enabled;
  }

  /** What of a session the model is shown; `limit` messages at most. */
  async earlier(session: string, limit: number): Promise<Earlier> {
    const { sessions, summaries } = this.#options;
    const summary = this.enabled ? await summaries.find(session) : undefined;
    return { summary, messages: await sessions.context(session, limit, summary?.upto ?? 0) };
  }

  /** A turn has ended; `last` is the newest message. Sums up in the background when enough has come together. */
  after(session: string, last: number, caller: () => SummaryCaller): void {
    const { context_compaction: rules } = this.#options.settings().defaults;
    if (!rules.enabled || last - this.#options.summaries.upto(session) <= rules.trigger_messages) return;
    if (this.#open.has(session) || this.#open.size >= mostInBackground) return;
    void this.compact(session, { before: last + 1, keep: rules.keep_recent_messages }, caller());
  }

  /** True when a new summary was stored. Never rejects. */
  async compact(session: string, extent: Extent, caller: SummaryCaller): Promise<boolean> {
    const running = this.#open.get(session);
    if (running) {
      // Another turn's, perhaps: whoever is aborted meanwhile need not wait for it.
      await Promise.race([running.done, aborted(caller.turn.signal)]);
      return false;
    }
    if (this.#now() < (this.#pauses.get(session) ?? 0)) return false;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, caller.turn.signal]);
    const done = this.#compact(session, extent, caller, signal).catch((error: unknown) => {
      if (signal.aborted) return false;
      this.#pauses.set(session, this.#now() + pauseMs);
      this.#options.failed(error, session);
      return false;
    });
    this.#open.set(session, { stop: () => stop.abort(), done });
    try {
      return await done;
    } finally {
      this.#open.delete(session);
    }
  }

  /** Nothing is stored for this session after that, of what began before. */
  async stop(session: string): Promise<void> {
    const running = this.#open.get(session);
    running?.stop();
    await running?.done;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((session) => this.stop(session)));
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }

  async #compact(session: string, extent: Extent, caller: SummaryCaller, signal: AbortSignal): Promise<boolean> {
    const { sessions, summaries, settings, ask } = this.#options;
    const rules = settings().defaults.context_compaction;
    const base = await summaries.find(session);
    const rows = await sessions.context(session, mostAtOnce, base?.upto ?? 0);
    const old = olderPart(
      rows.filter(({ seq }) => seq < extent.before),
      extent,
    );
    const last = old.at(-1);
    if (!last) return false;
    const request = summaryRequest({
      model: rules.model || caller.model,
      fallbacks: rules.model ? [] : caller.fallbacks,
      earlier: base?.text ?? "",
      messages: old,
      maxTranscriptChars: rules.max_transcript_chars,
      maxSummaryChars: rules.max_summary_chars,
    });
    const text = (await ask(request, caller.turn, signal)).trim();
    signal.throwIfAborted();
    if (text === "") throw new Error("the summary was empty");
    return summaries.put(session, base, { upto: last.seq, text: middleOut(text, rules.max_summary_chars) });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Never ends between a request for tools and their results. */
function olderPart(rows: readonly SequencedMessage[], { keep, tokens }: Extent): readonly SequencedMessage[] {
  let from = Math.max(0, rows.length - keep);
  if (tokens !== undefined) {
    let left = tokens;
    // As many of the newest as fit; the protected ones stay whatever they take.
    let fits = rows.length;
    while (fits > 0 && left >= 0) {
      left -= tokensOf(rows[fits - 1] as Message);
      if (left >= 0) fits -= 1;
    }
    from = Math.min(from, fits);
  }
  while (from < rows.length && rows[from]?.role === "tool") from += 1;
  return rows.slice(0, from);
}

/** How the summary stands at the beginning of a conversation. What people and tools said is in it, so it is nothing but material. */
export function summaryMessage({ text }: Summary): Message {
  return { role: "user", content: `[Summary of the earlier conversation, made by the gateway]\n\n${text}` };
}
