/** The command line as the built binary, in a process of its own. */
import { spawn } from "node:child_process";
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

/** What a run said. */
export function result(code: number, stdout: string, stderr: string): CliResult {
  return { code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}
