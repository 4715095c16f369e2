/**
 * New tools for an instance that runs: the same instances composed anew, one commit, no restart. It runs in the queue of
 * changes; a conflict leaves everything as it was. Tools that came or went with a service are told here, too.
 */
import { GatewayError } from "@chela/sdk";
import type { AnyTool, Instance } from "../instance/instance.ts";
import { ComposeConflict, compose, type Generation } from "./compose.ts";
import type { Host } from "./host.ts";

type RetoolHost = Pick<Host, "current" | "commit" | "idle" | "snapshot" | "report" | "events">;

export async function retool(host: RetoolHost, instance: Instance, tools: readonly AnyTool[]): Promise<void> {
  const before = host.current();
  if (before.instances.get(instance.id) !== instance || instance.scope.closing) {
    throw new GatewayError("SCOPE_CLOSED", 500, `plugin "${instance.id}" called ctx (retool) and is not live`);
  }
  const { contributions, scope, toolMarks } = instance;
  const old = contributions.tools.splice(0);
  contributions.tools.push(...tools);
  try {
    const next = compose(before.id + 1, [...before.instances.values()], before.blocked, host.report);
    host.commit(next, host.idle, host.snapshot);
  } catch (error) {
    contributions.tools.splice(0);
    contributions.tools.push(...old);
    throw error instanceof ComposeConflict ? error.cause : error;
  }
  for (const forget of toolMarks.splice(0)) forget();
  toolMarks.push(...tools.map(({ name }) => scope.own("tool", name)));
  const used = new Set(tools.map(({ input }) => input));
  if (old.some(({ input }) => !used.has(input))) instance.validators.reset();
  host.events.publish("generation", { id: host.current().id });
  host.events.publish("tools_changed", { plugin: instance.id, tools: tools.length });
}

/** Of those that ran before and were not set up anew: who comes is told by its state. */
export function tellTools(events: Host["events"], before: Generation, after: Generation): void {
  if (before === after) return;
  const [had, has] = [toolsByOwner(before), toolsByOwner(after)];
  for (const [id, instance] of before.instances) {
    const now = after.instances.get(id);
    if ((now && now !== instance) || String(had.get(instance)) === String(has.get(instance))) continue;
    events.publish("tools_changed", { plugin: id, tools: has.get(instance)?.length ?? 0 });
  }
}

function toolsByOwner({ tools }: Generation): ReadonlyMap<Instance, readonly string[]> {
  const owners = new Map<Instance, string[]>();
  for (const [name, { owner }] of tools) {
    const names = owners.get(owner);
    if (names) names.push(name);
    else owners.set(owner, [name]);
  }
  return owners;
}
