/** What a line of the file is to a reader: its own object, or plain text in the shape of one. */
import { GatewayError, type LogLevel } from "@chela/sdk";

export type Entry = Readonly<Record<string, unknown>>;

const ranks: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const maxPlainText = 65_536;

/** undefined for a blank line. */
export function entryOf(line: string): Entry | undefined {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (text.trim() === "") return undefined;
  return objectIn(text) ?? { time: new Date().toISOString(), level: "INFO", msg: text.slice(0, maxPlainText) };
}

/** True for entries of `level` and above; what names no level counts as info. */
export function reaches(entry: Entry, level: LogLevel | undefined): boolean {
  if (level === undefined) return true;
  const own = typeof entry.level === "string" ? ranks[entry.level.toLowerCase()] : undefined;
  return (own ?? 1) >= (ranks[level] as number);
}

/** True when one of its values has this text, in any letter case. */
export function holds(entry: Entry, text = ""): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return true;
  return Object.values(entry).some((value) => {
    const own = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    return own.toLowerCase().includes(wanted);
  });
}

/** True for lines of this plugin; `kernel`: for those of none. */
export function isOf(entry: Entry, plugin = ""): boolean {
  return plugin === "" || (entry.plugin ?? "kernel") === plugin;
}

/** The level a client asked for, in any case; undefined when it asked for none. */
export function levelFrom(text: string | undefined): LogLevel | undefined {
  const level = text?.trim().toLowerCase();
  if (level === undefined || level === "") return undefined;
  if (Object.hasOwn(ranks, level)) return level as LogLevel;
  throw new GatewayError("BAD_LEVEL", 400, `unknown level: ${level.slice(0, 32)}; use debug, info, warn or error`);
}

function objectIn(text: string): Entry | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Entry;
  } catch {
    return undefined;
  }
}
