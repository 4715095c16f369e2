/** The tool calls of one model reply: run through the one dispatch path, answered in order, each call exactly once. */
import { cutText, type Message, type ToolAnswer, type ToolCall, type Turn } from "@chela/sdk";
import type { LoopGuard } from "./guards.ts";
import { type LiveRun, orAborted } from "./live-run.ts";
import { mayCall } from "./team/profiles.ts";
import type { World } from "./world.ts";

export interface ToolRound {
  readonly world: World;
  readonly run: LiveRun;
  readonly turn: Turn;
  readonly guard: LoopGuard;
}

const maxCalls = 64;

/** The `tool` messages. Neighbours that cannot change anything run side by side, everything else in order. Never throws. */
export async function runTools(round: ToolRound, calls: readonly ToolCall[]): Promise<Message[]> {
  const { world, run, turn, guard } = round;
  const { execution, context_chars: chars } = world.settings().defaults;
  const answer = async (call: ToolCall, index: number): Promise<ToolAnswer> => {
    run.tool(call, "run", call.arguments);
    const found = index < maxCalls ? await runTool(world, turn, call) : tooMany;
    run.tool(call, found.ok ? "ok" : "failed", found.output);
    return found;
  };
  const answers: ToolAnswer[] = [];
  for (const batch of batches(calls, safeTools(world), execution.tool_max_parallel_calls)) {
    const first = answers.length;
    answers.push(...(await Promise.all(batch.map((call, index) => answer(call, first + index)))));
  }
  return calls.map((call, index) => {
    const { ok, output } = answers[index] as ToolAnswer;
    const note = guard.note(call, ok, output);
    const content = cut(output, chars / 4) + (note === undefined ? "" : `\n\n[gateway: ${note}]`);
    return { role: "tool", content, toolCallId: call.id };
  });
}

/** Calls that may run at the same time, in order. */
function batches(calls: readonly ToolCall[], isSafe: (name: string) => boolean, most: number): ToolCall[][] {
  const found: ToolCall[][] = [];
  let open: ToolCall[] | undefined;
  for (const call of calls) {
    const safe = isSafe(call.name);
    if (safe && open && open.length < most) open.push(call);
    else {
      const batch = [call];
      found.push(batch);
      open = safe ? batch : undefined;
    }
  }
  return found;
}

function safeTools(world: World): (name: string) => boolean {
  const names = new Set(world.settings().defaults.execution.tool_parallel_safe_names);
  for (const { name, risk } of world.tools.list()) if (risk === "read") names.add(name);
  return (name) => names.has(name);
}

const tooMany: ToolAnswer = { ok: false, output: `not run: at most ${maxCalls} tool calls in one reply` };
const stopped: ToolAnswer = { ok: false, output: "aborted: the turn was stopped" };

/** A result that would fill the model's memory alone is cut where it stands, never within a character. */
function cut(output: string, maxChars: number): string {
  if (output.length <= maxChars) return output;
  return `${cutText(output, maxChars)}\n[cut: ${output.length} characters in all]`;
}

async function runTool(world: World, turn: Turn, call: ToolCall): Promise<ToolAnswer> {
  if (turn.signal.aborted) return stopped;
  if (!mayCall(turn.tools, call))
    return { ok: false, output: `denied: ${call.name.slice(0, 64)} is not in the allowlist of this agent` };
  try {
    return await orAborted(world.tools.run(call, turn), turn.signal);
  } catch (error) {
    if (turn.signal.aborted) return stopped;
    return { ok: false, output: error instanceof Error ? error.message : "the tool failed" };
  }
}
