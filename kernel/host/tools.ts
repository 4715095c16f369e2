/**
 * The one dispatch path of tools: found → authorised → validated → `tool:before` (approval and policy) → run, bounded →
 * `tool:after`. It never throws: a model gets an answer it can read, whatever went wrong.
 */
import { GatewayError, type ToolAnswer, type ToolInfo, type Tools, type Turn } from "@chela/sdk";
import type { Gate } from "../auth/gate.ts";
import { explain } from "../explain.ts";
import type { FaultReporter } from "../hooks.ts";
import { parseJson } from "../http/body.ts";
import type { AnyTool } from "../instance/instance.ts";
import { withSignals } from "../signals.ts";
import type { Generation, Owned } from "./compose.ts";

export interface ToolsHost {
  current(): Generation;
  readonly gate: Gate;
  readonly report: FaultReporter;
}

const defaultTimeoutMs = 120_000;
const maxOutputChars = 1_000_000;

export function createTools(host: ToolsHost): Tools {
  return {
    list: () => [...host.current().tools.values()].map(describe).sort((a, b) => (a.name < b.name ? -1 : 1)),
    run: async (call, turn) => {
      const generation = host.current();
      const found = generation.tools.get(call.name);
      if (!found) return refusal(unknownTool(call.name, generation));
      const { owner } = found;
      owner.scope.enter();
      try {
        return await dispatch(host, generation, found, { ...call, turn });
      } catch (error) {
        if (!GatewayError.is(error)) host.report(owner.id, `tool ${call.name}`, error);
        return refusal(explain(error));
      } finally {
        owner.scope.leave();
      }
    },
  };
}

interface ToolCallFacts {
  readonly id: string;
  readonly arguments: string;
  readonly turn: Turn;
}

async function dispatch(
  host: ToolsHost,
  generation: Generation,
  found: Owned<AnyTool>,
  call: ToolCallFacts,
): Promise<ToolAnswer> {
  const { owner, item } = found;
  const { turn } = call;
  if (generation.blocked) return refusal(generation.blocked);
  const want = { what: "tool", name: item.name, access: item.access, owner: owner.id } as const;
  await host.gate.authorize(turn.identity, want, generation);
  const raw = call.arguments.trim() === "" ? {} : parseJson(Buffer.from(call.arguments));
  const input = await owner.validators.check(item.input, raw, `input of ${item.name}`);
  const invocation = { id: call.id, tool: item.name, input, risk: item.risk, turn };
  const verdict = await generation.hooks.run("tool:before", invocation);
  if (verdict) return refusal(`denied: ${verdict.deny}`);
  const output = await run(found, input, turn);
  const outcome = await generation.hooks.run("tool:after", { invocation, ok: true, output });
  return { ok: outcome.ok, output: outcome.output };
}

async function run({ owner: { scope }, item }: Owned<AnyTool>, input: unknown, turn: Turn): Promise<string> {
  const ms = item.timeoutMs ?? defaultTimeoutMs;
  const clock = AbortSignal.timeout(ms);
  const value = await withSignals([turn.signal, scope.signal, clock], (signal) => {
    const work = Promise.resolve().then(() => scope.run(() => item.run(input as never, { ...turn, signal })));
    return Promise.race([work, whenAborted(signal, () => ended(item.name, clock.aborted ? ms : 0))]);
  });
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length <= maxOutputChars ? text : `${text.slice(0, maxOutputChars)}\n[cut: ${text.length} characters]`;
}

function whenAborted(signal: AbortSignal, reason: () => GatewayError): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(reason());
    else signal.addEventListener("abort", () => reject(reason()), { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}

function ended(name: string, timeoutMs: number): GatewayError {
  const what = timeoutMs > 0 ? `did not finish within ${timeoutMs} ms` : "was aborted";
  return new GatewayError("TOOL_ABORTED", 499, `${name} ${what}`);
}

function describe({ owner, item }: Owned<AnyTool>): ToolInfo {
  const { name, about, access, risk } = item;
  return { name, about, access, risk, owner: owner.id, input: item.input as unknown as Record<string, unknown> };
}

function unknownTool(name: string, generation: Generation): string {
  const names = [...generation.tools.keys()].sort().join(", ");
  return `there is no tool "${name.slice(0, 64)}"; the tools are: ${names || "none"}`;
}

function refusal(output: string): ToolAnswer {
  return { ok: false, output };
}
