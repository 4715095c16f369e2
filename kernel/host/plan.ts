/**
 * The plan of a change: which instances keep running, apply hot, restart, start or stop, and in which order. Pure: it
 * reads manifests, the config and what is live, and touches nothing; the dry run shows the same.
 */
import type { PluginState } from "@chela/sdk";
import type { Instance, Manifest } from "../instance/instance.ts";
import { satisfies } from "../versions.ts";

export type Action = "keep" | "hot" | "restart" | "start";

export interface Step {
  readonly manifest: Manifest;
  readonly action: Action;
  /** For `hot`: keys relative to the section. */
  readonly changed: readonly string[];
  /** Need key → id of the plugin that provides it; of an optional need it only says who is set up first. */
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
  /** Go on without a plugin that runs now and does not come up anew, instead of refusing the change. */
  readonly tolerant?: boolean;
}

/** The id under which the host itself provides services. */
export const kernelId = "kernel";

export function planInstances(input: PlanInput): Plan {
  const idle = new Map<string, Idle>();
  const wanted = candidates(input, idle);
  const owners = serviceOwners(wanted, input.live, idle);
  dropUnmet(wanted, owners, idle);
  const providers = new Map(
    [...wanted.values()].map((manifest) => [manifest.id, providersOf(manifest, owners, wanted)]),
  );
  const renewed = new Set<string>();
  const steps = topological(wanted, providers, idle).map((manifest) => {
    const step = decide(manifest, input, providers.get(manifest.id) as Providers, renewed);
    if (step.action === "restart" || step.action === "start") renewed.add(manifest.id);
    return step;
  });
  return { steps, idle: [...idle.values()] };
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

/** Of two that provide the same: the built-in one, else the one that runs. */
function serviceOwners(
  wanted: Map<string, Manifest>,
  live: ReadonlyMap<string, Instance>,
  idle: Map<string, Idle>,
): Owners {
  const owners: Owners = new Map();
  const rank = ({ id, origin }: Manifest) => (origin === "builtin" ? 0 : 2) + (live.has(id) ? 0 : 1);
  for (const manifest of [...wanted.values()].sort((a, b) => rank(a) - rank(b))) {
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

/** Need key → id of the plugin that provides it. */
type Providers = Map<string, string>;

function providersOf(manifest: Manifest, owners: Owners, wanted: ReadonlyMap<string, Manifest>): Providers {
  const providers: Providers = new Map();
  for (const need of manifest.needs) {
    const found = owners.get(need.service);
    if (found && wanted.has(found.owner) && satisfies(found.version, need.range)) providers.set(need.key, found.owner);
  }
  return providers;
}

/** Kahn's order. In a cycle optional needs say nothing about the order; what remains of it waits, named. */
function topological(
  wanted: Map<string, Manifest>,
  providers: ReadonlyMap<string, Providers>,
  idle: Map<string, Idle>,
): Manifest[] {
  const placed = new Set<string>();
  let rest = [...wanted.values()];
  const isFree = ({ id }: Manifest) => {
    const needed = [...(providers.get(id)?.values() ?? [])];
    return needed.every((other) => placed.has(other) || other === id);
  };
  while (rest.length > 0) {
    const ready = rest.filter(isFree);
    if (ready.length === 0 && !loosen(rest, providers, placed)) break;
    for (const { id } of ready) placed.add(id);
    rest = rest.filter(({ id }) => !placed.has(id));
  }
  const names = rest.map(({ id }) => id).join(" → ");
  for (const { id } of rest) {
    wanted.delete(id);
    idle.set(id, { id, state: "waiting", reason: `cyclic needs: ${names}; one of them must not need the other` });
  }
  return [...placed].map((id) => wanted.get(id) as Manifest);
}

/** Takes one optional need out of what waits for each other: it is met once all of them run. False when there is none. */
function loosen(
  rest: readonly Manifest[],
  providers: ReadonlyMap<string, Providers>,
  placed: ReadonlySet<string>,
): boolean {
  for (const { id, needs } of rest) {
    const mine = providers.get(id);
    const loose = needs.find(({ key, optional }) => optional && mine?.has(key) && !placed.has(mine.get(key) as string));
    if (loose) return mine?.delete(loose.key) === true;
  }
  return false;
}

function decide(manifest: Manifest, input: PlanInput, providers: Providers, renewed: ReadonlySet<string>): Step {
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

/** Of what it cannot do without: the rest is looked up at each use. */
function wiringChanged(live: Instance, providers: ReadonlyMap<string, string>, renewed: ReadonlySet<string>): boolean {
  return live.manifest.needs.some(({ key, optional }) => {
    const id = providers.get(key);
    return !optional && (id === undefined || renewed.has(id) || live.uses.get(key)?.id !== id);
  });
}
