/** Questions to the person at the terminal, one line each; a secret is not shown while it is typed. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { GatewayError } from "@chela/sdk";
import type { Cli } from "./cli.ts";

const inputLimit = 4 * 1024 * 1024;

export interface Prompt {
  /** The answer, trimmed; the default for an empty one. Rejects when the signal aborts or the input ends. */
  ask(question: string, options?: { otherwise?: string; secret?: boolean; signal?: AbortSignal }): Promise<string>;
  close(): void;
}

/** True where there is somebody to ask. */
export function canAsk(cli: Cli): boolean {
  return cli.io.stdin.isTTY === true && !cli.out.json;
}

export function openPrompt(cli: Cli): Prompt {
  // Shown is what answers an open question: what is pasted ahead may be the secret of a later one.
  const state = { muted: true };
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!state.muted) cli.io.stderr.write(chunk.toString("utf8"));
      done();
    },
  });
  const lines = createInterface({ input: cli.io.stdin, output, terminal: cli.io.stderr.isTTY === true });
  lines.on("line", () => {
    state.muted = true;
  });
  const answers = queueOf(lines);
  return {
    async ask(question, { otherwise = "", secret = false, signal } = {}) {
      lines.setPrompt(otherwise === "" ? `${question}: ` : `${question} [${otherwise}]: `);
      state.muted = false;
      lines.prompt();
      state.muted = secret;
      // What follows a question without an answer begins on a line of its own.
      const over = (): unknown => cli.io.stderr.write("\n");
      signal?.addEventListener("abort", over, { once: true });
      try {
        return (await answers.next(signal)).trim() || otherwise;
      } catch (error) {
        if (!signal?.aborted) over();
        throw error;
      } finally {
        signal?.removeEventListener("abort", over);
        state.muted = true;
        if (secret) cli.io.stderr.write("\n");
      }
    },
    close: () => lines.close(),
  };
}

/** Lines as they are asked for; those that come early (pasted together) wait. */
function queueOf(lines: Interface): { next(signal?: AbortSignal): Promise<string> } {
  const waiting: string[] = [];
  let ended = false;
  let wake = (): void => undefined;
  lines.on("line", (line) => {
    waiting.push(line);
    wake();
  });
  lines.on("SIGINT", () => lines.close());
  lines.on("close", () => {
    ended = true;
    wake();
  });
  return {
    async next(signal) {
      while (waiting.length === 0) {
        if (ended || signal?.aborted)
          throw new GatewayError("USAGE", 400, "The input ended before the question was answered.");
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      return waiting.shift() as string;
    },
  };
}

/** The first line of the standard input: for secrets, which other users could read in a command line. */
export async function secretFromInput(cli: Cli, what: string): Promise<string> {
  let text = "";
  for await (const chunk of cli.io.stdin) {
    text += String(chunk);
    if (text.includes("\n") || text.length > 65_536) break;
  }
  const line = text.split("\n", 1)[0]?.trim() ?? "";
  if (line === "") throw new GatewayError("USAGE", 400, `${what} is read from the standard input, and that is empty.`);
  return line;
}

/** All of the standard input, within bounds. */
export async function textFromInput(cli: Cli): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of cli.io.stdin) {
    const bytes = Buffer.from(chunk as Buffer | string);
    size += bytes.length;
    if (size > inputLimit)
      throw new GatewayError("USAGE", 413, `The text on stdin has more than ${inputLimit} bytes. Send less.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
