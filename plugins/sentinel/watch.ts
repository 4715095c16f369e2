/**
 * What is told of what was found, and when. A thing that fails is told once, and once more when it is well again; another
 * reason is another alert, unless only its figures differ. Of one thing there are five minutes from alert to alert: what
 * keeps going up and down is told in pairs, so far apart.
 */
import type { Finding, Findings } from "./look.ts";

export interface Notice {
  readonly what: string;
  readonly level: "warning" | "info";
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** `seconds` are counted and never jump; `at` is what the clock on the wall says. */
export interface Moment {
  readonly seconds: number;
  readonly at: number;
}

interface Trouble {
  readonly since: Moment;
  readonly says: string;
  /** What the last alert said, without figures; empty before the first. */
  readonly told: string;
}

const quietSec = 300;

export class Watch {
  readonly #troubles = new Map<string, Trouble>();
  /** When the last alert about each was told, in seconds; kept while that keeps the next one back. */
  readonly #toldAt = new Map<string, number>();

  /** What fails now. */
  troubles(): { readonly what: string; readonly says: string; readonly since: number }[] {
    return [...this.#troubles].map(([what, { says, since }]) => ({ what, says, since: since.at }));
  }

  /** True for what failed when it was looked at before. */
  knows(what: string): boolean {
    return this.#troubles.has(what);
  }

  judge(found: Findings, now: Moment): readonly Notice[] {
    const notices: Notice[] = [];
    for (const [what, { ok, says }] of found) {
      if (!ok && this.#isNews(what, says, now)) notices.push(noticeOf(what, "warning", says, now));
    }
    for (const [what, { since, told }] of this.#troubles) {
      const end = endOf(found.get(what));
      if (end === undefined) continue;
      this.#troubles.delete(what);
      const says = `${end} after ${spelled(now.seconds - since.seconds)}`;
      if (told !== "") notices.push(noticeOf(what, "info", says, now));
    }
    for (const [what, at] of this.#toldAt) if (now.seconds - at >= quietSec) this.#toldAt.delete(what);
    return notices;
  }

  /** Remembers it as failing; true when an alert is due. */
  #isNews(what: string, says: string, now: Moment): boolean {
    const { since, told } = this.#troubles.get(what) ?? { since: now, told: "" };
    const shape = says.replace(/\d+/g, "0");
    const toldAt = this.#toldAt.get(what);
    const isNews = told !== shape && (toldAt === undefined || now.seconds - toldAt >= quietSec);
    this.#troubles.set(what, { since, says, told: isNews ? shape : told });
    if (isNews) this.#toldAt.set(what, now.seconds);
    return isNews;
  }
}

/** Undefined while it goes on failing. What was switched off or taken away is neither well nor failing. */
function endOf(finding: Finding | undefined): string | undefined {
  if (!finding) return "is not watched any more,";
  return finding.ok ? finding.says : undefined;
}

function noticeOf(what: string, level: Notice["level"], says: string, { at }: Moment): Notice {
  return { what, level, message: `sentinel: ${what} ${says}`, at };
}

function spelled(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
