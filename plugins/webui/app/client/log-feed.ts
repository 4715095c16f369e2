/** The log as it is written, as far as it was asked for, with pauses that heal by themselves. Where there is no file to follow it looks again later. */
import { gateway } from "./gateway.ts";
import { LiveSocket } from "./live-socket.ts";

const lookAgainMs = 15_000;

export type LogEntry = Readonly<Record<string, unknown>>;

/** Which lines: empty text leaves none out. */
export interface LogFilter {
  /** This level and above. */
  readonly level: string;
  /** `kernel`: lines of no plugin. */
  readonly plugin: string;
  readonly query: string;
}

export interface LogHandlers {
  line(entry: LogEntry): void;
  /** Each time it follows anew: what was written in between is missing. */
  opened?(): void;
  /** It broke, and comes back. */
  closed?(): void;
  /** The gateway's own words, why there is nothing to follow. */
  refused?(reason: string): void;
}

export class LogFeed {
  readonly #socket: LiveSocket;
  #forget = () => {};

  constructor(filter: Partial<LogFilter>, handlers: LogHandlers) {
    this.#socket = new LiveSocket(() => `/api/logs/live?${new URLSearchParams({ ...filter })}`, {
      opened: () => handlers.opened?.(),
      closed: () => handlers.closed?.(),
      frame: ({ ok, entry, error }) => {
        if (ok === true) return handlers.line(entry as LogEntry);
        this.close();
        const timer = setTimeout(() => this.open(), lookAgainMs);
        const ignore = gateway.on(["plugin_state"], ({ plugin, state }) => {
          if (plugin === "logs" && state === "running") this.open();
        });
        this.#forget = () => {
          clearTimeout(timer);
          ignore();
        };
        handlers.refused?.(String(error));
      },
    });
  }

  open(): void {
    this.#forget();
    this.#socket.open();
  }

  close(): void {
    this.#forget();
    this.#socket.close();
  }
}
