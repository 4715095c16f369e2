/**
 * The plan of a change: which instances keep running, apply hot, restart, start or stop, and in which order. Pure: it
 * reads manifests, the config and what is live, and touches nothing; the dry run shows the same.
 */
import type { PluginState } from "@chela/sdk";
import type { Instance, Manifest } from "./instance.ts";
import { satisfies } from "./versions.ts";

export type Action = "keep" | "hot" | "restart" | "start";

export interface Step {
  readonly manifest: Manifest;
  readonly action: Action;
  /** For `hot`: keys relative to the section. */
  readonly changed: readonly string[];
  /** Need key → id of the plugin that provides it. */
  readonly providers: ReadonlyMap<string, string>;
}

export interface Idle {
  readonly id: string;
  readonly state: Extract<PluginState, "disabled" | "waiting" | "failed" | "quarantined" | "incompatible">;
  readonly reason: string;
  /** The error that stopped it: its code, and its own words without advice for a gateway that goes on. */
  readonly cause?: { readonly code: string; readonly message: string };
}

export interface Plan {
  /** In dependency order: providers before consumers. */
  readonly steps: readonly Step[];
  readonly idle: readonly Idle[];
  /** Live instances that will not be there any more, consumers first. */
  readonly stops: readonly Instance[];
}

export interface PlanInput {
  readonly manifests: readonly Manifest[];
  readonly live: ReadonlyMap<string, Instance>;
  readonly enabled: (manifest: Manifest) => boolean;
  /** Section problems that turn a plugin off. */
  readonly broken: ReadonlyMap<string, string>;
  /** Quarantine and earlier failures: id → reason. */
  readonly barred: ReadonlyMap<string, Idle>;
  /** Changed keys per plugin: what is hot, and whether anything else changed. */
  readonly changes: ReadonlyMap<string, { readonly hot: readonly string[]; readonly restart: boolean }>;
  /** Plugins to set up anew whatever their config says. */
  readonly restart: ReadonlySet<string>;
}

/** The id under which the host itself provides services. */
export const kernelId = "kernel";

export function planInstances(input: PlanInput): Plan {
  const idle = new Map<string, Idle>();
  const wanted = candidates(input, idle);
  const owners = serviceOwners(wanted, idle);
  dropUnmet(wanted, owners, idle);
  const ordered = topological(wanted, owners, idle);
  const renewed = new Set<string>();
  const steps = ordered.map((manifest) => {
    const step = decide(manifest, input, providersOf(manifest, owners), renewed);
    if (step.action === "restart" || step.action === "start") renewed.add(manifest.id);
    return step;
  });
  const staying = new Set(ordered.map(({ id }) => id));
  const stops = [...input.live.values()].filter(({ id }) => id !== kernelId && !staying.has(id)).reverse();
  return { steps, idle: [...idle.values()], stops };
}

function candidates(input: PlanInput, idle: Map<string, Idle>): Map<string, Manifest> {
  const wanted = new Map<string, Manifest>();
  for (const manifest of input.manifests) {
    const no = reasonAgainst(manifest, input);
    if (no) idle.set(manifest.id, no);
    else wanted.set(manifest.id, manifest);
  }
  return wanted;
}

function reasonAgainst(manifest: Manifest, input: PlanInput): Idle | undefined {
  const { id } = manifest;
  if (!input.enabled(manifest)) return { id, state: "disabled", reason: "" };
  if (manifest.problem) {
    return { id, state: manifest.state ?? "failed", reason: manifest.problem };
  }
  const broken = input.broken.get(id);
  if (broken !== undefined) return { id, state: "failed", reason: `config: ${broken}` };
  return input.barred.get(id);
}

type Owners = Map<string, { readonly owner: string; readonly version: string }>;

function serviceOwners(wanted: Map<string, Manifest>, idle: Map<string, Idle>): Owners {
  const owners: Owners = new Map();
  const builtinsFirst = [...wanted.values()].sort(
    (a, b) => Number(a.origin !== "builtin") - Number(b.origin !== "builtin"),
  );
  for (const manifest of builtinsFirst) {
    const taken = manifest.provides.find(({ id }) => owners.has(id));
    if (taken) {
      wanted.delete(manifest.id);
      const first = owners.get(taken.id)?.owner;
      idle.set(manifest.id, {
        id: manifest.id,
        state: "failed",
        reason: `service "${taken.id}" is provided by "${first}" and "${manifest.id}"; disable one of them`,
      });
      continue;
    }
    for (const { id, version } of manifest.provides) owners.set(id, { owner: manifest.id, version });
  }
  return owners;
}

/** Takes out, again and again, whoever needs something that is not there. */
function dropUnmet(wanted: Map<string, Manifest>, owners: Owners, idle: Map<string, Idle>): void {
  for (let again = true; again; ) {
    again = false;
    for (const manifest of wanted.values()) {
      const unmet = manifest.needs.find((need) => !need.optional && !met(need, owners, wanted));
      if (!unmet) continue;
      wanted.delete(manifest.id);
      again = true;
      const found = owners.get(unmet.service);
      const there =
        found && wanted.has(found.owner)
          ? `"${found.owner}" provides ${found.version}`
          : "no running plugin provides it";
      idle.set(manifest.id, {
        id: manifest.id,
        state: "waiting",
        reason: `needs ${unmet.service} ${unmet.range}: ${there}`,
      });
    }
  }
}

function met(need: { service: string; range: string }, owners: Owners, wanted: Map<string, Manifest>): boolean {
  const found = owners.get(need.service);
  return found !== undefined && wanted.has(found.owner) && satisfies(found.version, need.range);
}

function providersOf(manifest: Manifest, owners: Owners): Map<string, string> {
  const providers = new Map<string, string>();
  for (const need of manifest.needs) {
    const found = owners.get(need.service);
    if (found && satisfies(found.version, need.range)) providers.set(need.key, found.owner);
  }
  return providers;
}

/** Kahn's order; what remains is a cycle and waits, named. */
function topological(wanted: Map<string, Manifest>, owners: Owners, idle: Map<string, Idle>): Manifest[] {
  const ordered: Manifest[] = [];
  const placed = new Set<string>();
  let rest = [...wanted.values()];
  while (rest.length > 0) {
    const ready = rest.filter((manifest) => {
      const ids = [...providersOf(manifest, owners).values()];
      return ids.every((id) => placed.has(id) || !wanted.has(id) || id === manifest.id);
    });
    if (ready.length === 0) break;
    for (const manifest of ready) {
      ordered.push(manifest);
      placed.add(manifest.id);
    }
    rest = rest.filter(({ id }) => !placed.has(id));
  }
  const names = rest.map(({ id }) => id).join(" → ");
  for (const { id } of rest) {
    wanted.delete(id);
    idle.set(id, { id, state: "waiting", reason: `cyclic needs: ${names}; one of them must not need the other` });
  }
  return ordered;
}

function decide(
  manifest: Manifest,
  input: PlanInput,
  providers: Map<string, string>,
  renewed: ReadonlySet<string>,
): Step {
  const live = input.live.get(manifest.id);
  const base = { manifest, providers, changed: [] as readonly string[] };
  if (manifest.id === kernelId) return { ...base, action: "keep" };
  if (!live) return { ...base, action: "start" };
  const change = input.changes.get(manifest.id);
  const rewired = wiringChanged(live, providers, renewed);
  if (rewired || change?.restart || input.restart.has(manifest.id) || live.manifest.hash !== manifest.hash) {
    return { ...base, action: "restart" };
  }
  if (change && change.hot.length > 0) return { ...base, action: "hot", changed: change.hot };
  return { ...base, action: "keep" };
}

function wiringChanged(live: Instance, providers: ReadonlyMap<string, string>, renewed: ReadonlySet<string>): boolean {
  if (live.uses.size !== providers.size) return true;
  for (const [key, id] of providers) {
    if (renewed.has(id) || live.uses.get(key)?.id !== id) return true;
  }
  return false;
}
