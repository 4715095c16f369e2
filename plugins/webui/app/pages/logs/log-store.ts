/**
 * The lines that the page holds, oldest first, bounded. `start` counts lines that came before the first: it falls when older
 * ones are put in front and grows when the oldest are left out, so that a view can stay where it is.
 */
import type { LogEntry } from "../../client/log-feed.ts";
import { type Line, lineOf } from "./log-line.ts";

export const mostLines = 5_000;
/** They leave in groups: one by one would move all others each time. */
const spare = 500;
/** In characters: lines may have a million of them. */
const mostText = 30_000_000;
const fullText = 25_000_000;
/** A page and the stream that began before it are on their way at the same time, not for longer. */
const overlapMs = 10_000;

/** What a page has, and the stream may tell once more. */
interface Overlap {
  readonly texts: ReadonlySet<string>;
  /** When its last line was written. */
  readonly end: number;
  readonly until: number;
}

export class LogStore {
  lines: Line[] = [];
  start = 0;
  /** Lines that were left out in front. */
  dropped = 0;
  #size = 0;
  #overlap: Overlap | undefined;
  #isAfterGap = false;

  /** Anything more would take the place of something else. */
  get isFull(): boolean {
    return this.lines.length >= mostLines || this.#size >= fullText;
  }

  reset(page: readonly LogEntry[]): void {
    this.lines = [];
    this.start = 0;
    this.dropped = 0;
    this.#size = 0;
    this.#isAfterGap = false;
    this.#append(page.map((entry) => lineOf(entry)));
    this.#expect(page);
  }

  /** The newest page again, after a break: what is new in it goes behind the last line that was known. */
  join(page: readonly LogEntry[], last = this.lines.at(-1)): void {
    const texts = page.map((entry) => JSON.stringify(entry));
    const known = last === undefined ? -1 : texts.lastIndexOf(JSON.stringify(last.entry));
    if (known === -1 && last !== undefined && page.length > 0) this.gap();
    this.#append(page.slice(known + 1).map((entry) => this.#next(entry)));
    this.#expect(page);
  }

  older(page: readonly LogEntry[]): void {
    const lines = page.map((entry) => lineOf(entry));
    this.lines.unshift(...lines);
    this.start -= lines.length;
    this.#size += sizeOf(lines);
  }

  /** So many lines are missing before the next one. */
  gap(lines = 0): void {
    this.dropped += lines;
    this.#isAfterGap = true;
  }

  /** From the stream. False: it was there already, or is older than what is there. */
  add(entry: LogEntry): boolean {
    if (this.#isRepeated(entry)) return false;
    this.#append([this.#next(entry)]);
    return true;
  }

  /** All that another one holds. */
  take({ lines, dropped }: LogStore): void {
    if (dropped > 0) this.gap(dropped);
    for (const { entry, afterGap } of lines) {
      if (afterGap) this.gap();
      this.add(entry);
    }
  }

  #expect(page: readonly LogEntry[]): void {
    const texts = new Set(page.map((entry) => JSON.stringify(entry)));
    const end = this.lines.at(-1)?.at ?? Number.NaN;
    this.#overlap = { texts, end, until: performance.now() + overlapMs };
  }

  #isRepeated(entry: LogEntry): boolean {
    const overlap = this.#overlap;
    if (!overlap) return false;
    if (overlap.texts.has(JSON.stringify(entry))) return true;
    // The stream may have begun before the page did; a clock that was set back must not hold up what is new.
    if (lineOf(entry).at < overlap.end && performance.now() < overlap.until) return true;
    this.#overlap = undefined;
    return false;
  }

  #next(entry: LogEntry): Line {
    const line = lineOf(entry, this.#isAfterGap);
    this.#isAfterGap = false;
    return line;
  }

  #append(lines: readonly Line[]): void {
    this.lines.push(...lines);
    this.#size += sizeOf(lines);
    if (this.lines.length <= mostLines + spare && this.#size <= mostText) return;
    let gone = 0;
    for (; this.lines.length - gone > mostLines || this.#size > mostText; gone += 1)
      this.#size -= this.lines[gone]?.size ?? 0;
    this.lines.splice(0, gone);
    this.start += gone;
    this.dropped += gone;
  }
}

function sizeOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { size }) => sum + size, 0);
}
