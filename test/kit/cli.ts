/** The command line in tests: `runMain` in this process with a process of its own making, `runCli` as the built binary. */
import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import type { Io } from "../../kernel/cli/io.ts";
import { main } from "../../kernel/cli/main.ts";
import { binary } from "./binary.ts";

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  json<T = unknown>(): T;
}

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

/** Runs `dist/chela.js` with nothing but PATH, HOME and `env`. A run of more than a minute is ended and fails. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [binary(), ...args], {
    env: { PATH: process.env.PATH, HOME: "/nonexistent", ...options.env },
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 60_000,
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === null) reject(new Error(`chela ${args.join(" ")} ended by ${signal}\n${output.stderr}`));
      else resolve(result(code, output.stdout, output.stderr));
    });
  });
}

function result(code: number, stdout: string, stderr: string): CliResult {
  return { code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}
