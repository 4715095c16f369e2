/**
 * Stage and compose: sets up the new instances of a plan beside the old ones and composes the next generation. Nothing
 * live is touched; what was staged in vain is disposed of. A plugin that fails is left out and the rest planned again,
 * unless it runs now: then the whole change fails and the old generation never noticed. Only a change that puts a faulty
 * plugin away is `tolerant`: it goes on without whoever cannot do without that one.
 */
import { type Context, GatewayError, type Plugin } from "@chela/sdk";
import type { FaultReporter } from "../hooks.ts";
import { Instance, type Manifest } from "../instance/instance.ts";
import { deadline } from "../instance/scope.ts";
import { ComposeConflict, compose, type Generation } from "./compose.ts";
import { type Idle, kernelId, type Plan, type PlanInput, planInstances, type Step } from "./plan.ts";

export interface Stager {
  load(manifest: Manifest): Promise<Plugin>;
  context(instance: Instance): Context<unknown>;
  configOf(manifest: Manifest): unknown;
  setupMs(): number;
  releaseMs(): number;
  report: FaultReporter;
  /** What a plugin threw, without the secrets that it may have put there. */
  reasonOf(error: unknown): string;
  /** Why a generation with this plan must answer 503, or empty. */
  blocked(plan: Plan): string;
}

export interface Assembly {
  readonly plan: Plan;
  readonly generation: Generation;
  readonly staged: readonly Instance[];
  /** Those that failed and are left out, now barred. */
  readonly failures: readonly Idle[];
}

/** A plugin that runs now failed to come up anew. */
export class StageFailure extends Error {
  readonly id: string;
  constructor(id: string, reason: string) {
    super(reason);
    this.id = id;
  }
}

export async function assemble(
  changes: Omit<PlanInput, "live">,
  stager: Stager,
  before: Generation,
): Promise<Assembly> {
  const input: PlanInput = { ...changes, live: before.instances };
  const staged = new Map<string, Instance>();
  const barred = new Map(input.barred);
  const failures: Idle[] = [];
  const giveUp = async (id: string, error: unknown) => {
    await dispose(staged.get(id), stager);
    staged.delete(id);
    const reason = stager.reasonOf(error);
    if (input.live.has(id) && !input.tolerant) throw new StageFailure(id, reason);
    const idle: Idle = {
      id,
      state: "quarantined",
      reason: `${reason}; fix it, then: chela plugins release ${id}`,
      cause: { code: GatewayError.is(error) ? error.code : "PLUGIN_FAULT", message: reason },
    };
    barred.set(id, idle);
    failures.push(idle);
  };
  try {
    for (;;) {
      const plan = planInstances({ ...input, barred });
      const failed = await stagePlan(plan, input.live, staged, stager);
      if (failed) {
        await giveUp(failed.id, failed.error);
        continue;
      }
      const instances = [
        input.live.get(kernelId),
        ...plan.steps.map(({ manifest: { id } }) => staged.get(id) ?? input.live.get(id)),
      ];
      try {
        const present = [...new Set(instances)].filter((instance) => instance !== undefined);
        const blocked = stager.blocked(plan);
        const generation = isSame(before, present, blocked)
          ? before
          : compose(before.id + 1, present, blocked, stager.report);
        await disposeUnused(plan, staged, stager);
        return { plan, generation, staged: [...staged.values()], failures };
      } catch (error) {
        if (!(error instanceof ComposeConflict)) throw error;
        await giveUp(conflicting(error, input.live, staged), error);
      }
    }
  } catch (error) {
    for (const instance of [...staged.values()].reverse()) await dispose(instance, stager);
    throw error;
  }
}

/** What the same instances register in the same order makes the generation that is there already. */
function isSame(before: Generation, present: readonly Instance[], blocked: string): boolean {
  const live = [...before.instances.values()];
  return (
    before.blocked === blocked &&
    live.length === present.length &&
    live.every((instance, index) => instance === present[index])
  );
}

/** The newcomer of two that collide, else the one that comes up anew, so that what runs keeps running. */
function conflicting(
  error: ComposeConflict,
  live: ReadonlyMap<string, Instance>,
  staged: ReadonlyMap<string, Instance>,
): string {
  if (!live.has(error.instance.id)) return error.instance.id;
  const named = [...staged.keys()].filter((id) => error.message.includes(`"${id}"`));
  const newcomer = named.find((id) => !live.has(id));
  return newcomer ?? (staged.has(error.instance.id) ? error.instance.id : (named[0] ?? error.instance.id));
}

async function stagePlan(
  plan: Plan,
  live: ReadonlyMap<string, Instance>,
  staged: Map<string, Instance>,
  stager: Stager,
): Promise<{ id: string; error: unknown } | undefined> {
  const starting = plan.steps.filter(({ action }) => action !== "keep" && action !== "hot");
  // A hot change goes no further: asking for the memory takes longer than the rest of it.
  if (starting.length === 0) return undefined;
  // Reading and importing overlap; setting up stays one after the other, and meets each failure in its turn.
  for (const { manifest } of starting) void stager.load(manifest).catch(() => undefined);
  let rss = process.memoryUsage.rss();
  for (const step of starting) {
    const { id } = step.manifest;
    const { uses, pinned } = wire(step, staged, live);
    const earlier = staged.get(id);
    if (earlier && sameUses(earlier, uses)) {
      earlier.pinned = pinned;
      continue;
    }
    await dispose(earlier, stager);
    const from = performance.now();
    try {
      const plugin = await stager.load(step.manifest);
      const instance = new Instance(step.manifest, plugin, stager.configOf(step.manifest), uses);
      instance.pinned = pinned;
      await stage(instance, stager, from, rss);
      staged.set(id, instance);
      rss += instance.startup?.rssDelta ?? 0;
    } catch (error) {
      staged.delete(id);
      return { id, error };
    }
  }
  return undefined;
}

/** What it cannot do without, and what it finds beside that while it is set up. The host itself never changes. */
function wire({ manifest, providers }: Step, staged: ReadonlyMap<string, Instance>, live: PlanInput["live"]) {
  const uses = new Map<string, Instance>();
  const pinned = new Map<string, Instance>();
  for (const { key, optional } of manifest.needs) {
    const id = providers.get(key);
    const instance = id === undefined ? undefined : (staged.get(id) ?? live.get(id));
    if (instance) (optional && id !== kernelId ? pinned : uses).set(key, instance);
  }
  return { uses, pinned };
}

async function stage(instance: Instance, stager: Stager, from: number, rss: number): Promise<void> {
  try {
    const setup = Promise.resolve().then(() =>
      instance.scope.run(() => instance.plugin.setup(stager.context(instance) as never)),
    );
    const ms = stager.setupMs();
    await deadline(setup, ms, () => {
      const { hint } = instance.scope;
      throw new GatewayError(
        "SETUP_TIMEOUT",
        500,
        `setup did not finish within ${ms} ms (plugins.setupTimeoutMs)${hint}`,
      );
    });
    requireProvided(instance);
  } catch (error) {
    await dispose(instance, stager);
    throw error;
  }
  instance.sealed = true;
  instance.startup = { ms: performance.now() - from, rssDelta: process.memoryUsage.rss() - rss };
}

function requireProvided(instance: Instance): void {
  const missing = instance.manifest.provides.find(({ id }) => !instance.contributions.services.has(id));
  if (!missing) return;
  throw new GatewayError(
    "PLUGIN_MISUSE",
    500,
    `lists "${missing.id}" in \`provides\` and never called ctx.provide for it`,
  );
}

function sameUses(instance: Instance, uses: ReadonlyMap<string, Instance>): boolean {
  if (instance.uses.size !== uses.size) return false;
  for (const [key, provider] of uses) if (instance.uses.get(key) !== provider) return false;
  return true;
}

async function disposeUnused(plan: Plan, staged: Map<string, Instance>, stager: Stager): Promise<void> {
  const wanted = new Set(plan.steps.map(({ manifest }) => manifest.id));
  for (const [id, instance] of [...staged].reverse()) {
    if (wanted.has(id)) continue;
    await dispose(instance, stager);
    staged.delete(id);
  }
}

async function dispose(instance: Instance | undefined, stager: Stager): Promise<void> {
  if (!instance) return;
  for (const { label, reason } of await instance.scope.close(stager.releaseMs())) {
    stager.report(instance.id, `release of ${label}`, new Error(reason));
  }
}
