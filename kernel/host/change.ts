/**
 * Applies a config snapshot to what runs: classifies what changed, holds back what the reload mode forbids, binds a new
 * listener before the old one stops, and says truthfully what happened. Runs inside the host's serial queue.
 */
import { type ChangeResult, messageOf, type PlannedChange } from "@chela/sdk";
import { planChanges } from "../config/classify.ts";
import { holdBack } from "../config/hold-back.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Manifest } from "../instance/instance.ts";
import { type ListenerChange, prepareListener } from "../net/swap-listener.ts";
import type { Host } from "./host.ts";
import { transitionHost } from "./host-ports.ts";
import { judged } from "./semantics.ts";
import { type Outcome, transition } from "./transition.ts";

export interface ApplyOptions {
  readonly why: string;
  /** Whose doing: `api`, `cli`, `file` … */
  readonly who: string;
  /** Plugins to set up anew whatever changed; `"all"` for a full restart. */
  readonly restart: ReadonlySet<string> | "all";
  /** Take the listener in hand though its settings are the same: its TLS files may not be. */
  readonly listener?: boolean;
  /** Plugins that a change broke which this one takes back: they may run again. */
  readonly undoes?: readonly string[];
}

export async function applySnapshot(host: Host, next: Snapshot, options: ApplyOptions): Promise<ChangeResult> {
  const rows = planChanges(host.snapshot, next, host.options.sections());
  const mode = modeOf(next);
  const isNewText = host.desired.hash !== next.hash;
  // A full restart is what pending changes wait for.
  const held = options.restart === "all" ? [] : rows.filter((row) => isHeld(row, mode));
  const target = held.length === 0 ? next : holdBack(host.snapshot, next, held, host.options.sections());
  const todo = rows.filter((row) => !held.includes(row));
  host.desired = next;
  const all = options.restart === "all" || (mode === "restart" && todo.some((row) => row.class !== "none"));
  const moved = options.listener === true || todo.some(({ owner }) => owner === "gateway");
  let listener: ListenerChange | undefined;
  try {
    listener = moved ? await prepareListener(host, target, options.listener === true) : undefined;
  } catch (error) {
    return refused(host, next, "gateway", messageOf(error));
  }
  const forgiven = new Set([...todo.map(({ owner }) => owner), ...(options.undoes ?? [])]);
  for (const manifest of host.manifests())
    if (forgiven.has(manifest.id) && host.enabled(manifest, target)) host.barred.delete(manifest.id);
  const restart = all ? new Set(host.manifests().map(({ id }) => id)) : (options.restart as ReadonlySet<string>);
  let outcome: Outcome;
  try {
    outcome = await transition(
      {
        manifests: host.manifests(),
        enabled: (manifest) => host.enabled(manifest, target),
        broken: target.broken,
        changes: changesByPlugin(todo, host),
        restart,
      },
      transitionHost(host, target),
    );
  } catch (error) {
    await listener?.abort();
    throw error;
  }
  if (!outcome.committed) {
    await listener?.abort();
    host.stats.reloads.failed += 1;
    return { applied: [], restarted: [], pending: host.pending(), failed: outcome.failed, hash: next.hash };
  }
  await listener?.commit();
  host.desired = await judged(host.current(), next);
  const credentialsChanged = todo.some(({ path }) => path.startsWith("gateway."));
  if (credentialsChanged) await host.recheck();
  if (outcome.failed.length > 0) host.stats.reloads.partial += 1;
  else host.stats.reloads.ok += 1;
  if (isNewText || todo.length > 0) announce(host, todo, next.hash, options);
  return {
    applied: todo.filter((row) => row.class === "hot" || isToggle(row.path)).map(({ path }) => path),
    restarted: [...(listener ? ["gateway"] : []), ...outcome.restarted],
    pending: host.pending(),
    failed: outcome.failed,
    hash: next.hash,
  };
}

/** No change of the config: what runs goes on with what it has, but for this one and whoever cannot do without it. */
export async function quarantine(host: Host, id: string, reason: string): Promise<void> {
  if (!host.current().instances.has(id) || host.stopping) return;
  host.bar({ id, state: "quarantined", reason });
  const plan = {
    manifests: host.manifests(),
    enabled: (manifest: Manifest) => host.enabled(manifest),
    broken: host.snapshot.broken,
    changes: new Map(),
    restart: new Set<string>(),
    tolerant: true,
  };
  await transition(plan, transitionHost(host, host.snapshot));
}

function modeOf(snapshot: Snapshot): "off" | "hot" | "restart" | "hybrid" {
  return (snapshot.values.get("gateway") as { reload: { mode: "off" | "hot" | "restart" | "hybrid" } }).reload.mode;
}

function isHeld(row: PlannedChange, mode: string): boolean {
  if (row.path === "gateway.reload.mode" || row.class === "none") return false;
  if (mode === "off") return true;
  return mode === "hot" && row.class !== "hot";
}

function isToggle(path: string): boolean {
  return /^plugins\.entries\..+\.enabled$/.test(path);
}

function changesByPlugin(rows: readonly PlannedChange[], host: Host) {
  const changes = new Map<string, { hot: string[]; restart: boolean }>();
  const sections = new Map(host.options.sections().map((section) => [section.owner, section.path]));
  for (const { owner, path, class: kind } of rows) {
    if (isToggle(path) || kind === "none" || kind === "restart-gateway") continue;
    const section = sections.get(owner);
    if (section === undefined || owner === "gateway" || owner === "plugins") continue;
    const change = changes.get(owner) ?? { hot: [], restart: false };
    if (kind === "hot") change.hot.push(path.slice(section.length + 1));
    else change.restart = true;
    changes.set(owner, change);
  }
  return changes;
}

function refused(host: Host, next: Snapshot, id: string, reason: string): ChangeResult {
  host.stats.reloads.failed += 1;
  return { applied: [], restarted: [], pending: host.pending(), failed: [{ id, reason }], hash: next.hash };
}

/**
 * Nobody waits for the observers: one of them may ask for the next change. Of a new text that says the same only those are told
 * who look at the text.
 */
function announce(host: Host, rows: readonly PlannedChange[], hash: string, { who, why }: ApplyOptions): void {
  const changed = rows.map(({ path }) => path);
  const source = who === "api" ? "webui" : who;
  host.events.publish("config_changed", { source, why, changed, hash });
  if (changed.length > 0) void host.current().hooks.run("config:changed", { hash, changed, source });
}
