/** exec and process: what models are told of them, and the switch that ends whatever runs when they are taken away. */
import { type Tool, type TSchema, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import type { Processes } from "./processes.ts";

const Command = Type.String({
  maxLength: 100_000,
  description: "A program, with its args apart; without args: one line for sh -c",
});
const Args = Type.Array(Type.String({ maxLength: 100_000 }), {
  maxItems: 1_000,
  description: "Arguments, each as it is: nothing is expanded",
});
const Shell = Type.Boolean({ description: "true: command is a line for sh -c; false: it is a program without args" });
const WorkingDir = Type.String({ maxLength: 4096, description: "Folder below the workspace; default its root" });

const ExecInput = Type.Object({
  command: Command,
  args: Type.Optional(Args),
  shell: Type.Optional(Shell),
  working_dir: Type.Optional(WorkingDir),
  timeout_sec: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600, description: "Less than the default" })),
});

const ProcessInput = Type.Object({
  action: Type.Union(
    ["start", "list", "read", "write", "stop"].map((name) => Type.Literal(name as "start")),
    {
      description: "What to do",
    },
  ),
  id: Type.Optional(Type.String({ maxLength: 64, description: "For read, write, stop: as start told it" })),
  command: Type.Optional(Command),
  args: Type.Optional(Args),
  shell: Type.Optional(Shell),
  working_dir: Type.Optional(WorkingDir),
  content: Type.Optional(Type.String({ description: "For write: goes to its standard input as it is" })),
  offset: Type.Optional(Type.Integer({ minimum: 0, description: "For read: where to begin; default: what is new" })),
});

/** Longer than the longest time that can be set, so that the child's own deadline tells first. */
const maxRunMs = 3_700_000;

/** `processes` is asked for at the first call of process. */
export function shellTools(ctx: Ctx, processes: () => Promise<Processes>, off: AbortSignal): Tool<TSchema>[] {
  const exec: Tool<typeof ExecInput> = {
    name: "exec",
    about:
      "Runs a program in the workspace to its end and returns its output and exit code. Needs approval unless the operator allows it.",
    input: ExecInput,
    risk: "exec",
    access: "write",
    timeoutMs: maxRunMs,
    run: async (input, turn) => {
      const { execTool } = await import("./exec.ts");
      return execTool(ctx, input, { ...turn, signal: AbortSignal.any([turn.signal, off]) });
    },
  };
  const process: Tool<typeof ProcessInput> = {
    name: "process",
    about:
      "Programs in the background of this session: start one, list them, read what is new, write to its input, stop it.",
    input: ProcessInput,
    risk: "exec",
    access: "write",
    run: async (input, turn) => (await import("./process.ts")).processTool(ctx, await processes(), input, turn),
  };
  return [exec, process] as unknown as Tool<TSchema>[];
}
