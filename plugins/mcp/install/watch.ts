/** Runs an installer and tells what it says while it runs: its newest line now and then. Output is bounded, and so is the time. */
import type { Children, ChildSpec } from "@chela/sdk";
import { plainLine, plainText } from "../client/plain.ts";

const maxChars = 64 * 1024;
const tellEveryMs = 500;

export interface Told {
  readonly code: number | null;
  /** The ends of what it said on its two outputs. */
  readonly output: string;
  readonly ended: "" | "timeout" | "aborted";
}

export interface WatchOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  tell(line: string): void;
}

export async function runWatched(children: Children, spec: ChildSpec, options: WatchOptions): Promise<Told> {
  const { timeoutMs, signal, tell } = options;
  const child = await children.start(spec);
  const said = { out: "", err: "" };
  let toldAt = 0;
  let ended: Told["ended"] = "";
  const end = (why: "timeout" | "aborted") => {
    ended ||= why;
    void child.stop(500);
  };
  const hear = (where: keyof typeof said) => (part: Buffer) => {
    said[where] = (said[where] + part.subarray(-maxChars).toString("utf8")).slice(-maxChars);
    const now = performance.now();
    if (now - toldAt < tellEveryMs) return;
    toldAt = now;
    const line = plainLine(said[where].trimEnd().split("\n").at(-1), 300);
    if (line !== "") tell(line);
  };
  child.stdout.on("data", hear("out")).on("error", () => undefined);
  child.stderr.on("data", hear("err")).on("error", () => undefined);
  child.stdin.on("error", () => undefined).end();
  const timer = setTimeout(() => end("timeout"), timeoutMs);
  const onAbort = () => end("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const { code } = await child.exit;
    const output = [said.out, said.err].map((text) => plainText(text).trim()).filter(Boolean);
    return { code, output: output.join("\n"), ended };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
