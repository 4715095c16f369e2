/** The command line in tests: `runMain` in this process with a process of its own making, `runCli` as the built binary. */
import { Readable } from "node:stream";
import type { Io } from "../../kernel/cli/io.ts";
import { main } from "../../kernel/cli/main.ts";
import { type CliOptions, type CliResult, result } from "./run-cli.ts";

export { type CliOptions, type CliResult, runCli } from "./run-cli.ts";

export interface MainOptions extends CliOptions {
  /** Pretend that stdout and stderr are terminals. */
  readonly tty?: boolean;
  /** Receives the listeners of signals, by name. */
  readonly signals?: Map<string, () => void>;
  /** Called with everything written to stdout so far. */
  readonly onOutput?: (text: string) => void;
  /** The same for stderr. */
  readonly onError?: (text: string) => void;
  readonly stdin?: Io["stdin"];
}

/** Runs `main` here. Only `HOME`, and what `env` gives, is in its environment. */
export async function runMain(args: readonly string[], options: MainOptions = {}): Promise<CliResult> {
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") => ({
    isTTY: options.tty ?? false,
    columns: 120,
    write(text: string) {
      written[name] += text;
      if (name === "stdout") options.onOutput?.(written.stdout);
      else options.onError?.(written.stderr);
      return true;
    },
  });
  const io: Io = {
    stdin: options.stdin ?? Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    env: { HOME: "/nonexistent", ...options.env },
    cwd: options.cwd ?? process.cwd(),
    onSignal(signal, listener) {
      options.signals?.set(signal, listener);
      return () => options.signals?.delete(signal);
    },
  };
  return result(await main(args, io), written.stdout, written.stderr);
}
