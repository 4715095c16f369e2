/**
 * One change of what is live, start to end: stage → hot → commit → retire → activate. Until the commit (one assignment)
 * nothing that runs has noticed; after it the old instances let go before the new ones begin their outward work.
 */
import type { PluginState } from "@chela/sdk";
import type { Instance } from "../instance/instance.ts";
import { deadline, isPromise } from "../instance/scope.ts";
import { pinsOf } from "../instance/stand-in.ts";
import { type Assembly, assemble, StageFailure, type Stager } from "./assemble.ts";
import type { Generation } from "./compose.ts";
import { type Idle, kernelId, type PlanInput } from "./plan.ts";
import { type RetireLimits, retire } from "./retire.ts";

export interface TransitionHost extends Stager {
  current(): Generation;
  /** Who does not run, and why. */
  idle(): readonly Idle[];
  /** The one assignment. */
  commit(generation: Generation, idle: readonly Idle[]): void;
  bar(idle: Idle): void;
  barred(): ReadonlyMap<string, Idle>;
  limits(): RetireLimits;
  /** Told as states pass, for lists and events. */
  note(id: string, state: PluginState, reason: string): void;
}

export interface Outcome {
  /** False when the change as a whole was refused and the old generation goes on. */
  readonly committed: boolean;
  readonly started: readonly string[];
  readonly restarted: readonly string[];
  readonly stopped: readonly string[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

const nothing = { started: [], restarted: [], stopped: [] } as const;

export async function transition(input: Omit<PlanInput, "live" | "barred">, host: TransitionHost): Promise<Outcome> {
  const before = host.current();
  const idleBefore = host.idle();
  let assembly: Assembly;
  try {
    assembly = await assemble({ ...input, barred: host.barred() }, host, before);
  } catch (error) {
    if (error instanceof StageFailure)
      return { committed: false, ...nothing, failed: [{ id: error.id, reason: error.message }] };
    throw error;
  }
  const refused = await applyHot(assembly, before, host);
  if (refused) {
    await retire(assembly.staged, host.limits(), host.report);
    return { committed: false, ...nothing, failed: [refused] };
  }
  for (const idle of assembly.failures) host.bar(idle);
  const leaving = replaced(before, assembly.generation);
  for (const instance of leaving) instance.pinned = pinsOf(instance, before.services);
  host.commit(assembly.generation, assembly.plan.idle);
  refresh(assembly, before, host);
  for (const instance of assembly.staged) instance.pinned = undefined;
  await retire(leaving, host.limits(), host.report);
  tellIdle(assembly, { live: before.instances, idle: idleBefore }, host);
  const outcome = summarise(before, assembly);
  const unstarted = await activate(assembly.staged, host);
  if (unstarted.length === 0) return outcome;
  for (const idle of unstarted) host.bar(idle);
  const after = await transition({ ...input, changes: new Map(), restart: new Set(), tolerant: true }, host);
  return {
    ...outcome,
    failed: [...outcome.failed, ...unstarted.map(({ id, reason }) => ({ id, reason })), ...after.failed],
  };
}

/** Hands the new config to those that apply it live; when one refuses, all get the old one back. */
async function applyHot(
  assembly: Assembly,
  before: Generation,
  host: TransitionHost,
): Promise<{ id: string; reason: string } | undefined> {
  const done: { instance: Instance; old: unknown; changed: readonly string[] }[] = [];
  for (const { manifest, action, changed } of assembly.plan.steps) {
    const instance = before.instances.get(manifest.id);
    if (action !== "hot" || !instance) continue;
    done.push({ instance, old: instance.config, changed });
    try {
      await tell(instance, host.configOf(manifest), changed, host.setupMs());
    } catch (error) {
      for (const { instance: told, old, changed: keys } of done.reverse()) {
        await tell(told, old, keys, host.setupMs()).catch((fault: unknown) => host.report(told.id, "onConfig", fault));
      }
      return { id: manifest.id, reason: host.reasonOf(error) };
    }
  }
  return undefined;
}

async function tell(instance: Instance, config: unknown, changed: readonly string[], ms: number): Promise<void> {
  instance.config = config;
  for (const listener of instance.configListeners) {
    const answer: unknown = instance.scope.run(() => listener(config as never, changed));
    if (!isPromise(answer)) continue;
    await deadline(answer, ms, () => {
      throw new Error(`onConfig did not finish within ${ms} ms (plugins.setupTimeoutMs)${instance.scope.hint}`);
    });
  }
}

/** A section may lie inside another one: its change is told to its own owner only, but shows in the value of the outer one. */
function refresh({ plan }: Assembly, before: Generation, host: TransitionHost): void {
  for (const { manifest, action } of plan.steps) {
    const instance = manifest.id === kernelId ? undefined : before.instances.get(manifest.id);
    if (action === "keep" && instance) instance.config = host.configOf(manifest);
  }
}

/** Who stopped, or does not run for another reason than before. Those that are barred were told when it happened. */
function tellIdle(
  { plan }: Assembly,
  before: { readonly live: ReadonlyMap<string, Instance>; readonly idle: readonly Idle[] },
  host: TransitionHost,
): void {
  for (const { id, state, reason } of plan.idle) {
    const was = before.idle.find((idle) => idle.id === id);
    const isNews = before.live.has(id) || (was !== undefined && (was.state !== state || was.reason !== reason));
    if (isNews && !host.barred().has(id)) host.note(id, state, reason);
  }
}

function replaced(before: Generation, after: Generation): Instance[] {
  return [...before.instances.values()].filter((instance) => after.instances.get(instance.id) !== instance);
}

/** Providers first. A plugin that cannot start is named and stopped again by the next transition. */
async function activate(staged: readonly Instance[], host: TransitionHost): Promise<readonly Idle[]> {
  const failed: Idle[] = [];
  for (const instance of staged) {
    const ms = host.setupMs();
    instance.started = true;
    try {
      for (const work of instance.starts) {
        await deadline(
          Promise.resolve().then(() => instance.scope.run(work)),
          ms,
          () => {
            throw new Error(`start did not finish within ${ms} ms (plugins.setupTimeoutMs)${instance.scope.hint}`);
          },
        );
      }
      host.note(instance.id, "running", "");
    } catch (error) {
      failed.push({
        id: instance.id,
        state: "quarantined",
        reason: `${host.reasonOf(error)}; fix it, then: chela plugins release ${instance.id}`,
      });
    }
  }
  return failed;
}

function summarise(before: Generation, { staged, generation, failures }: Assembly): Outcome {
  const ids = staged.map(({ id }) => id);
  return {
    committed: true,
    started: ids.filter((id) => !before.instances.has(id)),
    restarted: ids.filter((id) => before.instances.has(id)),
    stopped: [...before.instances.keys()].filter((id) => id !== kernelId && !generation.instances.has(id)),
    failed: failures.map(({ id, reason }) => ({ id, reason })),
  };
}
