/** system_info and parallel: the machine, and several tools at once through the one way that tools are run. */
import { randomUUID } from "node:crypto";
import { type Tool, type TSchema, type Turn, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";

const NoInput = Type.Object({});
const Call = Type.Object({
  tool: Type.String({ minLength: 1, maxLength: 64, description: "Name of the tool" }),
  args: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "Its input" })),
});
const ParallelInput = Type.Object({
  calls: Type.Array(Call, { minItems: 1, maxItems: 8, description: "What to run" }),
});

/** Each call has its own deadline, and may wait for a person. */
const maxParallelMs = 3_800_000;

export function systemTools(ctx: Ctx): Tool<TSchema>[] {
  const info: Tool<typeof NoInput> = {
    name: "system_info",
    about: "The machine and the gateway: system, memory, load, time, version, workspace.",
    input: NoInput,
    risk: "read",
    access: "read",
    run: async () => (await import("./system-info.ts")).systemInfo(ctx),
  };
  const parallel: Tool<typeof ParallelInput> = {
    name: "parallel",
    about: "Runs up to eight tool calls side by side and returns all results. Each is approved and recorded by itself.",
    input: ParallelInput,
    risk: "read",
    runsOthers: true,
    access: "read",
    timeoutMs: maxParallelMs,
    run: async ({ calls }, turn) => {
      const results = await Promise.all(calls.map(({ tool, args = {} }) => inner(ctx, tool, args, turn)));
      return results.join("\n\n");
    },
  };
  return [info, parallel] as unknown as Tool<TSchema>[];
}

async function inner(ctx: Ctx, tool: string, args: unknown, turn: Turn): Promise<string> {
  if (tool === "parallel") return "parallel: failed: it cannot run itself";
  const call = { id: `parallel_${randomUUID()}`, name: tool, arguments: JSON.stringify(args) };
  const { ok, output } = await ctx.use.tools.run(call, turn);
  return `${tool}: ${ok ? "ok" : "failed"}\n${output}`;
}
