/** The tool calls of one model reply: run through the one dispatch path, answered in order, each call exactly once. */
import type { Message, ToolAnswer, ToolCall, Turn } from "@chela/sdk";
import { type LiveRun, orAborted } from "./live-run.ts";
import type { World } from "./world.ts";

const maxCalls = 64;

/** The `tool` messages. Calls run side by side only when none of them can change anything. Never throws. */
export async function runTools(world: World, run: LiveRun, turn: Turn, calls: readonly ToolCall[]): Promise<Message[]> {
  const risks = new Map(world.tools.list().map(({ name, risk }) => [name, risk]));
  const answer = async (call: ToolCall, index: number): Promise<Message> => {
    run.tool(call.id, call.name, "run");
    const { ok, output } = index < maxCalls ? await runTool(world, turn, call) : tooMany;
    run.tool(call.id, call.name, ok ? "ok" : "failed");
    return { role: "tool", content: cut(output, world.settings().defaults.context_chars / 4), toolCallId: call.id };
  };
  if (calls.every(({ name }) => risks.get(name) === "read")) return Promise.all(calls.map(answer));
  const messages: Message[] = [];
  for (const [index, call] of calls.entries()) messages.push(await answer(call, index));
  return messages;
}

const tooMany: ToolAnswer = { ok: false, output: `not run: at most ${maxCalls} tool calls in one reply` };
const stopped: ToolAnswer = { ok: false, output: "aborted: the turn was stopped" };

/** A result that would fill the model's memory alone is cut where it stands, never within a character. */
function cut(output: string, maxChars: number): string {
  if (output.length <= maxChars) return output;
  return `${output.slice(0, maxChars).replace(/[\ud800-\udbff]$/, "")}\n[cut: ${output.length} characters in all]`;
}

async function runTool(world: World, turn: Turn, call: ToolCall): Promise<ToolAnswer> {
  if (turn.signal.aborted) return stopped;
  try {
    return await orAborted(world.tools.run(call, turn), turn.signal);
  } catch (error) {
    if (turn.signal.aborted) return stopped;
    return { ok: false, output: error instanceof Error ? error.message : "the tool failed" };
  }
}
