/** Everything of the process that commands touch, so that tests hand in their own. Only the system's own `Io` reads globals. */
import type { Readable } from "node:stream";

/** Where text goes. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls `listener` instead of ending the process; returns its own undo. */
  onSignal(signal: "SIGINT" | "SIGTERM", listener: () => void): () => void;
}

export function systemIo(): Io {
  return {
    // Most commands read nothing, and asking for it opens it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onSignal(signal, listener) {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
  };
}
