/** The log as it is written: lines of a level and above, with pauses that heal by themselves. Without a file to follow it waits for the plugin to start anew. */
import { gateway } from "./gateway.ts";
import { LiveSocket } from "./live-socket.ts";

export type LogEntry = Readonly<Record<string, unknown>>;

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

  /** Empty level: all of them. */
  constructor(level: () => string, handlers: LogHandlers) {
    this.#socket = new LiveSocket(() => `/api/logs/live?level=${encodeURIComponent(level())}`, {
      opened: () => handlers.opened?.(),
      closed: () => handlers.closed?.(),
      frame: ({ ok, entry, error }) => {
        if (ok === true) return handlers.line(entry as LogEntry);
        this.close();
        this.#forget = gateway.on(["plugin_state"], ({ plugin, state }) => {
          if (plugin === "logs" && state === "running") this.open();
        });
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
