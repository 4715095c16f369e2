/**
 * The lines that the page holds, oldest first, bounded. `start` counts lines that came before the first: it falls when older
 * ones are put in front and grows when the oldest are left out, so that a view can stay where it is.
 */
import type { LogEntry } from "../../client/log-feed.ts";
import { type Line, lineOf } from "./log-line.ts";

export const mostLines = 5_000;
/** They leave in groups: one by one would move all others each time. */
const spare = 500;

export class LogStore {
  lines: Line[] = [];
  start = 0;
  /** Lines that were left out in front. */
  dropped = 0;
  /** What may come once more: the stream begins before a page ends. */
  #repeated = new Set<string>();

  reset(page: readonly LogEntry[]): void {
    this.lines = page.map((entry) => lineOf(entry));
    this.start = 0;
    this.dropped = 0;
    this.#repeated = new Set(page.map((entry) => JSON.stringify(entry)));
  }

  /** The newest page again, after a break: what is new in it goes behind what is there. */
  join(page: readonly LogEntry[]): void {
    const texts = page.map((entry) => JSON.stringify(entry));
    const last = this.lines.at(-1);
    const known = last === undefined ? -1 : texts.lastIndexOf(JSON.stringify(last.entry));
    const isMissing = known === -1 && last !== undefined;
    this.#repeated = new Set(texts);
    this.#append(page.slice(known + 1).map((entry, place) => lineOf(entry, isMissing && place === 0)));
  }

  older(page: readonly LogEntry[]): void {
    this.lines.unshift(...page.map((entry) => lineOf(entry)));
    this.start -= page.length;
  }

  /** From the stream. False: it was there already. */
  add(entry: LogEntry): boolean {
    if (this.#repeated.size > 0) {
      if (this.#repeated.has(JSON.stringify(entry))) return false;
      // The stream has passed the end of the page.
      this.#repeated.clear();
    }
    this.#append([lineOf(entry)]);
    return true;
  }

  #append(lines: readonly Line[]): void {
    this.lines.push(...lines);
    if (this.lines.length <= mostLines + spare) return;
    const gone = this.lines.length - mostLines;
    this.lines.splice(0, gone);
    this.start += gone;
    this.dropped += gone;
  }
}
