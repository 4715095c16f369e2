/** A line of the log as it is shown, and what a search finds in it. */
import type { LogEntry } from "../../client/log-feed.ts";
import { short } from "../../parts/plain.ts";

export type Level = "DEBUG" | "INFO" | "WARN" | "ERROR";

export interface Line {
  readonly entry: LogEntry;
  /** Milliseconds since 1970; not a number where the line does not tell. */
  readonly at: number;
  readonly level: Level;
  readonly plugin: string;
  readonly text: string;
  /** All other fields, as one text. */
  readonly more: string;
  /** About how many characters it holds in memory. */
  readonly size: number;
  /** Lines may be missing before it. */
  readonly afterGap: boolean;
}

const levels: readonly string[] = ["DEBUG", "INFO", "WARN", "ERROR"] satisfies Level[];
const shownApart = new Set(["time", "timestamp", "level", "plugin", "msg", "message"]);
const longestText = 600;
const longestMore = 400;

export function lineOf(entry: LogEntry, afterGap = false): Line {
  const level = String(entry.level ?? "").toUpperCase();
  const text = String(entry.msg ?? entry.message ?? "");
  const more = Object.entries(entry)
    .filter(([key]) => !shownApart.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return {
    entry,
    at: Date.parse(String(entry.time ?? entry.timestamp ?? "")),
    level: levels.includes(level) ? (level as Level) : "INFO",
    plugin: short(typeof entry.plugin === "string" ? entry.plugin : "", 80),
    text: oneLine(text, longestText),
    more: oneLine(more, longestMore),
    size: text.length + more.length,
    afterGap,
  };
}

/** The text in pieces, every second of them a find. */
export function finds(text: string, query: string): string[] {
  const wanted = query.trim();
  if (wanted === "") return [text];
  const pattern = new RegExp(`(${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "giu");
  return text.split(pattern);
}

function oneLine(text: string, most: number): string {
  return short(text, most).replace(/[\n\t]+/g, " ");
}
