/** process: programs in the background: start, list, read, write, stop. */
import { GatewayError, type Turn } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import { argvOf, type CommandInput } from "./command.ts";
import { ownerOf, type Processes, type Started } from "./processes.ts";
import { workingDir } from "./workdir.ts";

export interface ProcessInput extends CommandInput {
  readonly action: "start" | "list" | "read" | "write" | "stop";
  readonly id?: string | undefined;
  readonly content?: string | undefined;
  readonly offset?: number | undefined;
  readonly working_dir?: string | undefined;
}

const startedMs = 200;
const maxInputChars = 100_000;

export async function processTool(ctx: Ctx, processes: Processes, input: ProcessInput, turn: Turn): Promise<string> {
  const owner = ownerOf(turn.session, turn.identity.id);
  if (input.action === "start") return start(ctx, processes, input, owner);
  if (input.action === "list") return processes.list(owner).map(line).join("\n") || "No processes in this session.";
  const found = processes.find(owner, input.id ?? "");
  if (input.action === "read") return read(found, input.offset, ctx.config.shell.max_output_bytes);
  if (input.action === "write") return write(found, input.content ?? "");
  await found.child.stop();
  return `Stopped ${found.id}.${tail(found, ctx.config.shell.max_output_bytes)}`;
}

async function start(ctx: Ctx, processes: Processes, input: ProcessInput, owner: string): Promise<string> {
  const argv = argvOf(input);
  const cwd = await workingDir(ctx, input.working_dir);
  const shown = [input.command ?? "", ...(input.args ?? [])].join(" ");
  const { max_processes: max } = ctx.config.shell;
  const started = await processes.start(owner, shown, max, () => ctx.use.children.start({ ...argv, cwd }));
  const { child } = started;
  // What fails at once is told at once.
  await Promise.race([child.exit, new Promise((resolve) => setTimeout(resolve, startedMs))]);
  return `Started ${started.id} (pid ${child.pid}), ${state(started)}.${tail(started, ctx.config.shell.max_output_bytes)}`;
}

function read(started: Started, offset: number | undefined, maxBytes: number): string {
  const { text, next, missed } = started.output.read(offset ?? started.readTo, maxBytes);
  started.readTo = next;
  const gap = missed > 0 ? `[${missed} bytes are gone]\n` : "";
  return `${gap}${text === "" ? "[nothing new]" : text.trimEnd()}\n[${started.id} ${state(started)}; next offset ${next}]`;
}

async function write(started: Started, content: string): Promise<string> {
  if (started.ended) throw new GatewayError("PROCESS_ENDED", 409, `${started.id} has ended (${state(started)})`);
  if (content.length > maxInputChars)
    throw new GatewayError("PROCESS_INPUT", 413, `at most ${maxInputChars} characters at once`);
  const { stdin } = started.child;
  if (stdin.writableLength > maxInputChars)
    throw new GatewayError("PROCESS_INPUT", 429, `${started.id} does not read its input; try again later`);
  stdin.write(content);
  return `Wrote ${content.length} characters to ${started.id}.`;
}

function tail(started: Started, maxBytes: number): string {
  const { text, next } = started.output.read(started.readTo, maxBytes);
  started.readTo = next;
  return text === "" ? "" : `\n${text.trimEnd()}`;
}

function line(started: Started): string {
  const seconds = Math.round(((started.ended?.at ?? Date.now()) - started.startedAt) / 1000);
  return `${started.id}  ${state(started)}  ${seconds} s  ${started.line.slice(0, 200)}`;
}

function state({ ended }: Started): string {
  if (!ended) return "running";
  return ended.code === null ? `ended by ${ended.signal ?? "a signal"}` : `ended with code ${ended.code}`;
}
