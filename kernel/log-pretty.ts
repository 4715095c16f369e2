/** One log line for a person at a terminal: time, level, plugin, message, the other fields as `key=value`. */
import type { LogLine } from "@chela/sdk";

const colours: Readonly<Record<LogLine["level"], string>> = { DEBUG: "90", INFO: "32", WARN: "33", ERROR: "31" };
const shownElsewhere: ReadonlySet<string> = new Set(["time", "timestamp", "level", "msg", "message", "plugin"]);

/** Without the line feed. The entry is already escaped, so the only control characters are the colours. */
export function prettyLine(entry: LogLine, colour: boolean): string {
  const paint = (code: string, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const parts = [paint("90", entry.time.slice(11, 23)), paint(colours[entry.level], entry.level.padEnd(5))];
  if (entry.plugin !== undefined) parts.push(paint("36", `[${entry.plugin}]`));
  if (entry.msg !== "") parts.push(entry.msg);
  for (const [key, value] of Object.entries(entry)) {
    if (!shownElsewhere.has(key)) parts.push(paint("90", `${key}=${shown(value)}`));
  }
  return parts.join(" ");
}

function shown(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
