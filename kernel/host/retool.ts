/**
 * New tools for an instance that runs: the same instances composed anew, one commit, no restart. It runs in the queue of
 * changes; a conflict leaves everything as it was.
 */
import { GatewayError } from "@chela/sdk";
import type { AnyTool, Instance } from "../instance/instance.ts";
import { ComposeConflict, compose } from "./compose.ts";
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
  host.events.publish("tools_changed", { plugin: instance.id, tools: tools.length });
}
