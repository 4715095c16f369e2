/** What can be said of a host from outside: the state of each plugin, and whether what is critical is up. */
import { approvals, type PluginState } from "@chela/sdk";
import type { Manifest } from "../instance/instance.ts";
import type { Generation } from "./compose.ts";
import type { Host } from "./host.ts";
import type { Plan } from "./plan.ts";

export interface Readiness {
  readonly ready: boolean;
  /** State of each critical plugin that is switched on. */
  readonly critical: Readonly<Record<string, string>>;
  /** Empty when ready. */
  readonly reason: string;
}

export function readiness(host: Host): Readiness {
  const critical: Record<string, string> = {};
  for (const manifest of host.manifests()) {
    if (manifest.critical && host.enabled(manifest)) critical[manifest.id] = stateOf(host, manifest.id);
  }
  const { blocked } = host.current();
  const up = Object.values(critical).every((state) => state === "running");
  const reason = host.stopping ? "stopping" : host.ready ? blocked : "starting";
  return { ready: host.ready && !host.stopping && up && blocked === "", critical, reason };
}

export function stateOf(host: Host, id: string): PluginState {
  const instance = host.current().instances.get(id);
  if (instance) return instance.started ? "running" : "starting";
  return host.barred.get(id)?.state ?? host.idle.find((idle) => idle.id === id)?.state ?? "disabled";
}

/** Why a plan that lacks a critical plugin must fail closed; empty when it lacks none. */
export function blockedBy(plan: Plan, manifests: readonly Manifest[]): string {
  const down = plan.idle.find(
    ({ id, state }) => state !== "disabled" && manifests.some((manifest) => manifest.id === id && manifest.critical),
  );
  return down ? `plugin "${down.id}" guards this gateway and is down: ${down.reason}` : "";
}

/**
 * Why tools that change something must not run: whoever asks for approval is switched on and not there. Empty when he is
 * there, or when the operator does without him.
 */
export function unguardedBy(host: Host, { instances }: Generation): string {
  const absent = host
    .manifests()
    .find(
      (manifest) =>
        manifest.provides.some(({ id }) => id === approvals.id) &&
        !instances.has(manifest.id) &&
        host.enabled(manifest),
    );
  if (!absent) return "";
  return `plugin "${absent.id}", which decides about approval, is ${stateOf(host, absent.id)}; see: chela plugins doctor`;
}
