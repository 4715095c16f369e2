/** exec: one program to its end, within its time; both ends of what it says, and how it ended. */
import type { ChildOutcome, Turn } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import { argvOf, type CommandInput } from "./command.ts";
import { workingDir } from "./workdir.ts";

export interface ExecInput extends CommandInput {
  readonly working_dir?: string | undefined;
  readonly timeout_sec?: number | undefined;
}

export async function execTool(ctx: Ctx, input: ExecInput, turn: Turn): Promise<string> {
  const { timeout_sec, max_output_bytes: maxBytes } = ctx.config.shell;
  const argv = argvOf(input);
  const cwd = await workingDir(ctx, input.working_dir);
  const timeoutMs = Math.min(input.timeout_sec ?? timeout_sec, timeout_sec) * 1000;
  const outcome = await ctx.use.children.run({ ...argv, cwd }, { timeoutMs, maxBytes, signal: turn.signal });
  return report(outcome, timeoutMs);
}

function report({ code, stdout, stderr, ended, ms }: ChildOutcome, timeoutMs: number): string {
  const parts = [stdout.trimEnd(), stderr.trim() === "" ? "" : `[stderr]\n${stderr.trimEnd()}`];
  if (ended === "timeout") parts.push(`[ended after ${timeoutMs / 1000} s: the time was up; longer work: process]`);
  else if (ended === "aborted") parts.push("[ended: the turn was stopped]");
  else if (code === null) parts.push("[ended by a signal]");
  else if (code !== 0) parts.push(`[exit code ${code}]`);
  const text = parts.filter((part) => part !== "").join("\n");
  return text === "" ? `[no output, exit code 0, ${Math.round(ms)} ms]` : text;
}
