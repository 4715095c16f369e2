/**
 * The door to pino, without a worker thread. Every line is one object of JSON with `time` and `timestamp`, `msg` and
 * `message`, an upper-case level, nothing secret and no raw control character; it goes to the destination, into a
 * bounded memory and to subscribers, which cannot hurt each other or the caller.
 */
import { isatty } from "node:tty";
import { type Logger, type LogLevel, type LogLine, type LogSource, messageOf } from "@chela/sdk";
import { pino } from "pino";
import { Cleaner } from "./log-clean.ts";
import { prettyLine } from "./log-pretty.ts";

export interface LogOptions {
  readonly level: LogLevel;
  /** A file descriptor (1 or 2), or anything that takes lines. */
  readonly destination: number | { write(line: string): void };
  /** Lines for people instead of JSON. Default: when the file descriptor is a terminal. */
  readonly pretty?: boolean;
}

export interface Log {
  /** The host's own. */
  readonly logger: Logger;
  /** Lines carry `plugin`. */
  child(plugin: string): Logger;
  readonly source: LogSource;
  /** Registers secrets: from now on they read `[redacted]` wherever they would appear. */
  redact(values: Iterable<string>): void;
  /** What somebody threw, without them: for people and programs that may see no secret. */
  reasonOf(error: unknown): string;
  /** Resolves when everything written so far has left the process, or after `ms`; call it last. */
  flush(ms?: number): Promise<void>;
}

const remembered = 1000;
const maxLineBytes = 65_536;
const maxBufferedBytes = 4_194_304;
const maxNames = 16;
/** Keys that every line has; a caller's field of that name gets a trailing underscore. */
const reserved: ReadonlySet<string> = new Set(["time", "timestamp", "level", "msg", "message", "plugin"]);

interface Sink {
  write(line: string): void;
  flush(done: () => void): void;
  /** Gives up on what is still waiting, so that nothing waits for it at the end of the process. */
  abandon(): void;
}

export function createLog(options: LogOptions): Log {
  const cleaner = new Cleaner();
  const sink = openSink(options, (lines) =>
    logger.warn({ lines }, "log lines were lost: whoever reads this output is too slow"),
  );
  const hub = new LogHub(sink);
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: stamp,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      // Ours already made plain data of errors.
      serializers: { err: (value: unknown) => value },
    },
    { write: (line) => hub.accept(line) },
  );
  const write = (level: LogLevel, plugin: string | undefined, args: readonly unknown[]): void => {
    if (!root.isLevelEnabled(level)) return;
    const [first, second] = args;
    const message = typeof first === "string" ? first : second;
    const text = typeof message === "string" ? cleaner.text(message) : "";
    const head = plugin === undefined ? {} : { plugin };
    root[level]({ ...head, ...fieldsOf(first, cleaner), message: text }, text);
  };
  const logger = loggerOf(write, undefined);
  return {
    logger,
    child: (plugin) => loggerOf(write, plugin),
    source: {
      subscribe: (listener, name) => hub.subscribe(listener, name),
      recent: () => hub.recent(),
      setLevel: (level) => {
        root.level = level ?? options.level;
      },
    },
    redact: (values) => cleaner.add(values),
    reasonOf: (error) => cleaner.text(messageOf(error)),
    flush: (ms = 1000) => flushed(sink, ms),
  };
}

function loggerOf(
  write: (level: LogLevel, plugin: string | undefined, args: readonly unknown[]) => void,
  plugin: string | undefined,
): Logger {
  const at =
    (level: LogLevel) =>
    (...args: unknown[]) =>
      write(level, plugin, args);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function fieldsOf(first: unknown, cleaner: Cleaner): Record<string, unknown> {
  if (typeof first !== "object" || first === null) return {};
  const cleaned = cleaner.fields(first instanceof Error ? { err: first } : (first as Record<string, unknown>));
  for (const key of reserved) {
    if (!(key in cleaned)) continue;
    cleaned[`${key}_`] = cleaned[key];
    delete cleaned[key];
  }
  return cleaned;
}

function stamp(): string {
  const now = new Date().toISOString();
  return `,"time":"${now}","timestamp":"${now}"`;
}

function openSink({ destination, pretty }: LogOptions, lost: (lines: number) => void): Sink {
  const target = typeof destination === "number" ? descriptorSink(destination, lost) : plainSink(destination);
  const terminal = typeof destination === "number" && isatty(destination);
  if (!(pretty ?? terminal)) return target;
  const colour = terminal && !process.env.NO_COLOR;
  return { ...target, write: (line) => target.write(`${prettyLine(JSON.parse(line) as LogLine, colour)}\n`) };
}

function plainSink(destination: { write(line: string): void }): Sink {
  return { write: (line) => destination.write(line), flush: (done) => done(), abandon: () => undefined };
}

/** Writes without blocking: a reader that stalls loses lines beyond 4 MB, it never stops the gateway. */
function descriptorSink(fd: number, lost: (lines: number) => void): Sink {
  const stream = pino.destination({ fd, sync: false, minLength: 1, maxLength: maxBufferedBytes });
  let broken = false;
  let dropped = 0;
  stream.on("drop", () => {
    dropped += 1;
  });
  stream.on("drain", () => {
    const lines = dropped;
    dropped = 0;
    if (lines > 0) lost(lines);
  });
  stream.on("error", () => {
    broken = true;
  });
  return {
    write: (line) => {
      if (!broken) stream.write(line);
    },
    flush: (done) => (broken ? done() : stream.flush(() => done())),
    abandon: () => {
      broken = true;
      stream.destroy();
    },
  };
}

async function flushed(sink: Sink, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const inTime = await new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
    sink.flush(() => resolve(true));
  });
  clearTimeout(timer);
  if (!inTime) sink.abandon();
}

interface Listener {
  readonly take: (line: string, entry: LogLine) => void;
  readonly name: string | undefined;
}

class LogHub {
  readonly #sink: Sink;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<Listener>();
  /** Name of a gone listener → how many lines had been written by then. */
  readonly #seen = new Map<string, number>();
  #count = 0;
  #dispatching = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  accept(written: string): void {
    const whole = Buffer.byteLength(written) <= maxLineBytes ? written : `${shortened(written)}\n`;
    try {
      this.#sink.write(whole);
    } catch {
      // A destination that throws must not take the caller with it.
    }
    const line = whole.slice(0, -1);
    this.#lines.push(line);
    if (this.#lines.length > remembered) this.#lines.shift();
    this.#count += 1;
    if (this.#listeners.size > 0 && !this.#dispatching) this.#dispatch(this.#listeners, [line]);
  }

  #dispatch(listeners: Iterable<Listener>, lines: readonly string[]): void {
    this.#dispatching = true;
    for (const line of lines) {
      const entry = JSON.parse(line) as LogLine;
      for (const listener of listeners) {
        try {
          listener.take(line, entry);
        } catch {
          // Logging the failure would come back here; the listener answers for itself.
        }
      }
    }
    this.#dispatching = false;
  }

  subscribe(take: Listener["take"], name: string | undefined): () => void {
    const listener: Listener = { take, name };
    if (name !== undefined) {
      const missed = Math.min(this.#count - (this.#seen.get(name) ?? 0), this.#lines.length);
      if (missed > 0) this.#dispatch([listener], this.#lines.slice(-missed));
    }
    this.#listeners.add(listener);
    return () => {
      if (!this.#listeners.delete(listener) || name === undefined) return;
      if (this.#seen.size < maxNames || this.#seen.has(name)) this.#seen.set(name, this.#count);
    };
  }

  recent(): readonly LogLine[] {
    return this.#lines.map((line) => JSON.parse(line) as LogLine);
  }
}

function shortened(written: string): string {
  const { time, timestamp, level, plugin, msg, message } = JSON.parse(written) as LogLine;
  const cut = `the other fields, ${Buffer.byteLength(written)} bytes in all, were cut`;
  return JSON.stringify({ level, time, timestamp, ...(plugin === undefined ? {} : { plugin }), cut, message, msg });
}
