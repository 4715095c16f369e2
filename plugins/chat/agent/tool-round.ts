/** The tool calls of one model reply: run through the one dispatch path, answered in order, each call exactly once. */
import { cutText, type NewMessage, type ToolAnswer, type ToolCall, type Turn } from "@chela/sdk";
import type { LoopGuard } from "./guards.ts";
import type { Journal } from "./journal.ts";
import type { LiveRun } from "./live-run.ts";
import { mayCall } from "./team/profiles.ts";
import type { World } from "./world.ts";

export interface ToolRound {
  readonly world: World;
  readonly run: LiveRun;
  readonly turn: Turn;
  readonly guard: LoopGuard;
  readonly journal: Pick<Journal, "calling">;
}

const maxCalls = 64;

/**
 * The `tool` messages. Neighbours that cannot change anything run side by side, everything else in order. Before the first
 * one that may change something it is written down what is about to run: should the process die, nobody does it twice unknowingly.
 */
export async function runTools(round: ToolRound, asked: NewMessage): Promise<NewMessage[]> {
  const { world, journal, guard } = round;
  const { execution, context_chars: chars } = world.settings().defaults;
  const calls = asked.toolCalls ?? [];
  const only = readers(world);
  const safe = new Set([...execution.tool_parallel_safe_names, ...only]);
  const answers: NewMessage[] = [];
  let writes = false;
  for (const batch of batches(calls, safe, execution.tool_max_parallel_calls)) {
    const first = answers.length;
    writes ||= batch.some(({ name }) => !only.has(name));
    // Calls that are only refused need no record.
    if (writes && first < maxCalls) await journal.calling({ asked, answers, begun: first + batch.length });
    const found = await Promise.all(batch.map((call, index) => answer(round, call, first + index)));
    for (const [index, { ok, output }] of found.entries()) {
      const call = batch[index] as ToolCall;
      const note = guard.note(call, ok, output);
      const content = cut(output, chars / 4) + (note === undefined ? "" : `\n\n[gateway: ${note}]`);
      answers.push({ role: "tool", content, toolCallId: call.id, ...(!ok && { state: "failed" }) });
    }
  }
  return answers;
}

/** Never throws. */
async function answer(round: ToolRound, call: ToolCall, index: number): Promise<ToolAnswer> {
  const { run } = round;
  run.tool(call, "run", call.arguments);
  const found = index < maxCalls ? await runTool(round, call) : tooMany;
  run.tool(call, found.ok ? "ok" : "failed", found.output);
  return found;
}

/** Calls that may run at the same time, in order. */
function batches(calls: readonly ToolCall[], safe: ReadonlySet<string>, most: number): ToolCall[][] {
  const found: ToolCall[][] = [];
  let open: ToolCall[] | undefined;
  for (const call of calls) {
    const isSafe = safe.has(call.name);
    if (isSafe && open && open.length < most) open.push(call);
    else {
      const batch = [call];
      found.push(batch);
      open = isSafe ? batch : undefined;
    }
  }
  return found;
}

/** Tools that change nothing. */
function readers(world: World): ReadonlySet<string> {
  const found = world.tools.list().filter(({ risk, runsOthers }) => risk === "read" && !runsOthers);
  return new Set(found.map(({ name }) => name));
}

const tooMany: ToolAnswer = { ok: false, output: `not run: at most ${maxCalls} tool calls in one reply` };
const stopped: ToolAnswer = { ok: false, output: "aborted: the turn was stopped" };

/** A result that would fill the model's memory alone is cut where it stands, never within a character. */
function cut(output: string, maxChars: number): string {
  if (output.length <= maxChars) return output;
  return `${cutText(output, maxChars)}\n[cut: ${output.length} characters in all]`;
}

async function runTool({ world, run, turn }: ToolRound, call: ToolCall): Promise<ToolAnswer> {
  if (turn.signal.aborted) return stopped;
  if (!mayCall(turn.tools, call))
    return { ok: false, output: `denied: ${call.name.slice(0, 64)} is not in the allowlist of this agent` };
  try {
    return await run.orAborted(world.tools.run(call, turn));
  } catch (error) {
    if (turn.signal.aborted) return stopped;
    return { ok: false, output: error instanceof Error ? error.message : "the tool failed" };
  }
}
