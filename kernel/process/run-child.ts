/**
 * Child processes of the host that run to their end: an argv array, never a shell; a deadline, a cap on what one may say. A
 * gateway that is killed takes them along.
 */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { childEnv, exitOf, grouped, killGroup } from "./child.ts";
import { Orphans } from "./orphans.ts";

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Cap per output; a child that says more is ended. */
  readonly maxBytes: number;
  /** Opens file descriptor 3 in the child as one more output. */
  readonly channel?: boolean;
  readonly signal?: AbortSignal;
}

export interface ChildResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to file descriptor 3. */
  readonly channel: string;
  /** Why we ended it, or empty. */
  readonly ended: "" | "timeout" | "output" | "aborted";
}

/** Runs `argv[0]` with the rest as its arguments to the end. Rejects only when it cannot be started. */
export function runChild(argv: readonly [string, ...string[]], options: ChildOptions): Promise<ChildResult> {
  const [file, ...args] = argv;
  const orphans = new Orphans();
  orphans.prepare();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? childEnv(),
    stdio: ["ignore", "pipe", "pipe", options.channel ? "pipe" : "ignore"],
    shell: false,
    windowsHide: true,
    detached: grouped,
  });
  orphans.watch(child);
  let ended: ChildResult["ended"] = "";
  const end = (why: ChildResult["ended"]) => {
    if (ended === "") ended = why;
    killGroup(child);
  };
  const timer = setTimeout(() => end("timeout"), options.timeoutMs);
  const onAbort = () => end("aborted");
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  const streams = [1, 2, 3].map((index) => child.stdio[index] as Readable | null | undefined);
  const outputs = streams.map((stream) => collect(stream, options.maxBytes, () => end("output")));
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
  });
  return Promise.race([exitOf(child), failed])
    .then(({ code }) => {
      const [stdout = "", stderr = "", channel = ""] = outputs.map((read) => read());
      return { code, stdout, stderr, channel, ended };
    })
    .finally(() => {
      orphans.close();
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    });
}

function collect(stream: Readable | null | undefined, maxBytes: number, overflow: () => void): () => string {
  const parts: Buffer[] = [];
  let size = 0;
  stream?.on("data", (part: Buffer) => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else overflow();
  });
  stream?.on("error", () => undefined);
  return () => Buffer.concat(parts).toString("utf8");
}
