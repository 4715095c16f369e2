/** The gateway's own log as it is written (provided by the host): redacted, escaped lines, and a bounded memory of them. */
import { defineService } from "../service.ts";

/** Levels, lowest first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line, parsed. ClawGo's names and the plain ones stand side by side. */
export interface LogLine {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly timestamp: string;
  readonly level: "DEBUG" | "INFO" | "WARN" | "ERROR";
  readonly msg: string;
  readonly message: string;
  /** Absent on lines of the host itself. */
  readonly plugin?: string;
  readonly [field: string]: unknown;
}

/** Reads the log as it is written. */
export interface LogSource {
  /**
   * `line` is one line of JSON without its line feed. Returns its own undo. Lines that a listener itself logs while it
   * runs do not come back to listeners. A listener with a `name` first gets the remembered lines that no listener of
   * that name has seen: a writer that restarts misses nothing.
   */
  subscribe(listener: (line: string, entry: LogLine) => void, name?: string): () => void;
  /** The last 1,000 lines, oldest first. */
  recent(): readonly LogLine[];
  /** Applies at once; undefined goes back to the level the host was started with. */
  setLevel(level: LogLevel | undefined): void;
}

/** Name it in `needs`. */
export const logSource = defineService<LogSource>("log-source", "1.0.0");
