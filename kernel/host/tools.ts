/**
 * The one dispatch path of tools: found → authorised → on the turn's list → validated → `tool:before` (approval and policy)
 * → run, bounded → `tool:after` → `tool:done` (audit), which sees every call, refused ones too. It never throws: a model
 * gets an answer it can read, whatever went wrong.
 */
import {
  expandAllowlist,
  GatewayError,
  isToolAllowed,
  messageOf,
  objectOf,
  type ToolAnswer,
  type ToolInfo,
  type ToolRecord,
  type Tools,
  type Turn,
} from "@chela/sdk";
import type { Gate } from "../auth/gate.ts";
import type { FaultReporter } from "../hooks.ts";
import { parseJson } from "../http/body.ts";
import type { AnyTool } from "../instance/instance.ts";
import { withSignals } from "../signals.ts";
import type { Generation, Owned } from "./compose.ts";

export interface ToolsHost {
  current(): Generation;
  readonly gate: Gate;
  readonly report: FaultReporter;
  /** Why nothing but reading may be done, or empty. */
  unguarded(generation: Generation): string;
}

const defaultTimeoutMs = 120_000;
const maxOutputChars = 1_000_000;
const refusals: ReadonlySet<string> = new Set(["TOOL_DENIED", "FORBIDDEN", "UNAUTHORIZED", "UNAVAILABLE"]);

export function createTools(host: ToolsHost): Tools {
  const lists = new WeakMap<Generation, readonly ToolInfo[]>();
  return {
    list: () => {
      const generation = host.current();
      const known = lists.get(generation);
      if (known) return known;
      const list = [...generation.tools.values()].flatMap((tool) => describe(tool, host.report));
      list.sort((a, b) => (a.name < b.name ? -1 : 1));
      lists.set(generation, Object.freeze(list));
      return list;
    },
    run: async (call, turn) => {
      const generation = host.current();
      const found = generation.tools.get(call.name);
      if (!found) return refusal("TOOL_UNKNOWN", unknownTool(call.name, generation));
      const { owner } = found;
      const from = performance.now();
      owner.scope.enter();
      let answer: ToolAnswer;
      try {
        answer = await dispatch(host, generation, found, { ...call, turn });
      } catch (error) {
        if (!GatewayError.is(error)) host.report(owner.id, `tool ${call.name}`, error);
        answer = refusal(GatewayError.is(error) ? error.code : "TOOL_FAILED", messageOf(error));
      } finally {
        owner.scope.leave();
      }
      tell(generation, found, { ...call, turn }, { ...answer, ms: performance.now() - from });
      return answer;
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
  if (generation.blocked) return refusal("UNAVAILABLE", generation.blocked);
  const want = { what: "tool", name: item.name, access: item.access, owner: owner.id } as const;
  await host.gate.authorize(turn.identity, want, generation);
  if (turn.tools && !isToolAllowed(item.name, expandAllowlist(turn.tools)))
    return refusal("TOOL_DENIED", `denied: the agent "${turn.agent}" may not use ${item.name}`);
  const raw = call.arguments.trim() === "" ? {} : parseJson(Buffer.from(call.arguments));
  const input = await owner.validators.check(item.input, raw, `input of ${item.name}`);
  const unguarded = item.risk === "read" ? "" : host.unguarded(generation);
  if (unguarded) return refusal("TOOL_DENIED", `denied: ${unguarded}`);
  const invocation = { id: call.id, tool: item.name, input, risk: item.risk, turn };
  const verdict = await generation.hooks.run("tool:before", invocation);
  if (verdict) return refusal("TOOL_DENIED", `denied: ${verdict.deny}`);
  const output = await run(found, input, turn);
  const outcome = await generation.hooks.run("tool:after", { invocation, ok: true, output });
  return outcome.ok ? { ok: true, output: outcome.output } : refusal("TOOL_FAILED", outcome.output);
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

/** One, or none of a tool that fails when it is looked at: it takes no other one with it. */
function describe({ owner, item }: Owned<AnyTool>, report: FaultReporter): readonly ToolInfo[] {
  try {
    const { name, about, access, risk, runsOthers, remote } = item;
    const input = withoutDefaulted(item.input as unknown as Schema);
    const info: ToolInfo = {
      name,
      // Not everybody writes TypeScript.
      about: String(about ?? ""),
      access,
      risk,
      owner: owner.id,
      input,
      ...(runsOthers && { runsOthers }),
      ...(remote && { remote }),
    };
    return [info];
  } catch (error) {
    report(owner.id, "tools.list", error);
    return [];
  }
}

type Schema = Readonly<Record<string, unknown>>;

/** What has a default need not be said: TypeBox lists it as required all the same, and a model would be made to say it. */
function withoutDefaulted(schema: Schema): Schema {
  const { required, properties } = schema;
  if (!Array.isArray(required)) return schema;
  const needed = required.filter((name) => !Object.hasOwn(objectOf(objectOf(properties)[String(name)]), "default"));
  return needed.length === required.length ? schema : { ...schema, required: needed };
}

function unknownTool(name: string, generation: Generation): string {
  const names = [...generation.tools.keys()].sort().join(", ");
  return `there is no tool "${name.slice(0, 64)}"; the tools are: ${names || "none"}`;
}

function tell(
  generation: Generation,
  { owner, item }: Owned<AnyTool>,
  call: ToolCallFacts,
  { ok, output, code = "", ms }: ToolAnswer & { readonly ms: number },
): void {
  if (!generation.hooks.has("tool:done")) return;
  const record: ToolRecord = {
    id: call.id,
    tool: item.name,
    owner: owner.id,
    risk: item.risk,
    arguments: call.arguments,
    turn: call.turn,
    outcome: ok ? "ok" : refusals.has(code) ? "denied" : "failed",
    output,
    ms,
  };
  void generation.hooks.run("tool:done", record);
}

function refusal(code: string, output: string): ToolAnswer {
  return { ok: false, output, code };
}
