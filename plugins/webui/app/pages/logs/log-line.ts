/** A line of the log as it is shown, and what a search finds in it. */
import type { LogEntry } from "../../client/log-feed.ts";
import { short } from "../../parts/plain.ts";

export type Level = "DEBUG" | "INFO" | "WARN" | "ERROR";

export interface Filter {
  /** This level and above; empty: all. */
  readonly level: string;
  /** Empty: all; `kernel`: lines of no plugin. */
  readonly plugin: string;
  readonly query: string;
}

export interface Line {
  readonly entry: LogEntry;
  /** Milliseconds since 1970; not a number where the line does not tell. */
  readonly at: number;
  readonly level: Level;
  readonly plugin: string;
  readonly text: string;
  /** All other fields, as one text. */
  readonly more: string;
  /** Lines may be missing before it. */
  readonly afterGap: boolean;
}

const levels: readonly string[] = ["DEBUG", "INFO", "WARN", "ERROR"] satisfies Level[];
const shownApart = new Set(["time", "timestamp", "level", "plugin", "msg", "message"]);
const longestText = 600;
const longestMore = 400;

export function lineOf(entry: LogEntry, afterGap = false): Line {
  const level = String(entry.level ?? "").toUpperCase();
  const more = Object.entries(entry)
    .filter(([key]) => !shownApart.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return {
    entry,
    at: Date.parse(String(entry.time ?? entry.timestamp ?? "")),
    level: levels.includes(level) ? (level as Level) : "INFO",
    plugin: short(typeof entry.plugin === "string" ? entry.plugin : "", 80),
    text: oneLine(String(entry.msg ?? entry.message ?? ""), longestText),
    more: oneLine(more.join(" "), longestMore),
    afterGap,
  };
}

/** As the gateway filters, for lines that come live. The level was asked for. */
export function fits(entry: LogEntry, { plugin, query }: Filter): boolean {
  if (plugin !== "" && (entry.plugin ?? "kernel") !== plugin) return false;
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return true;
  return Object.values(entry).some((value) => {
    const own = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    return own.toLowerCase().includes(wanted);
  });
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
