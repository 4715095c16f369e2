/** Makes the Context of one instance: every call checks the scope, and what it acquires belongs to the scope. */
import { mkdirSync } from "node:fs";
import type { CallableHook, Context, HookName, HookResult, HookTaps, Logger } from "@chela/sdk";
import type { Clock } from "../clock.ts";
import type { HookSet } from "../hooks.ts";
import { kernelId } from "../host/plan.ts";
import { repeat } from "./every.ts";
import type { AnyTool, Instance } from "./instance.ts";
import { lent } from "./lend.ts";
import { misuse, needsFunction, plainCopy } from "./misuse.ts";
import { needsTool, registrations } from "./registrations.ts";
import type { OwnedKind, Scope } from "./scope.ts";
import { providerOf, type ServiceTable, standIn } from "./stand-in.ts";

/** What the host lends to every Context. Getters, so that nothing is captured across generations. */
export interface ContextHost {
  readonly clock: Clock;
  hooks(): HookSet;
  services(): ServiceTable;
  logger(id: string): Logger;
  dataDir(id: string): string;
  emit(type: string, payload: Readonly<Record<string, unknown>>, owner: string): void;
  fault(owner: string, where: string, error: unknown): void;
  watch(paths: readonly string[], onChange: (changed: readonly string[]) => Promise<void>): { close(): Promise<void> };
  retool(instance: Instance, tools: readonly AnyTool[]): Promise<void>;
  fetch(url: string | URL, init: Parameters<Context["fetch"]>[1], signal: AbortSignal): Promise<Response>;
}

/** What a timer of node can hold; beyond it fires at once, and again and again. */
const longestTimerMs = 2_147_483_647;

const callable: ReadonlySet<HookName> = new Set<CallableHook>([
  "message:in",
  "message:out",
  "agent:pick",
  "model:request",
  "model:reply",
  "model:chunk",
  "model:before",
  "model:done",
  "turn:done",
]);

export function createContext(instance: Instance, host: ContextHost): Context<unknown> {
  const { scope, id } = instance;
  const log = host.logger(id);
  let dataDir: string | undefined;
  return {
    id,
    log,
    signal: scope.signal,
    stopping: scope.stopping,
    get config() {
      return instance.config;
    },
    use: usesOf(instance, host) as never,
    get dataDir() {
      scope.assertOpen("dataDir");
      dataDir ??= host.dataDir(id);
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      return dataDir;
    },
    ...registrations(instance),
    ...lifecycle(instance, host),
    work: (running) => scope.work(running),
    listens: (hook) => host.hooks().has(hook),
    call<H extends CallableHook>(hook: H, ...args: Parameters<HookTaps[H]>): HookResult<H> {
      scope.assertOpen(`call ${hook}`);
      if (!callable.has(hook)) throw misuse(instance, `may not run the hook "${hook}"`);
      return host.hooks().run(hook, ...args);
    },
    async retool(tools) {
      scope.assertOpen("retool");
      if (!instance.sealed) throw misuse(instance, "calls retool in setup; register the tools with ctx.tool there");
      for (const tool of tools) needsTool(instance, tool);
      await scope.change(host.retool(instance, tools));
    },
    emit(type, payload = {}) {
      scope.assertOpen("emit");
      host.emit(String(type), plainCopy(instance, `emits "${String(type)}"`, payload), id);
    },
    fetch(url, init) {
      scope.assertOpen("fetch");
      return host.fetch(url, init, scope.signal);
    },
  };
}

function usesOf(instance: Instance, host: ContextHost): Record<string, unknown> {
  const use: Record<string, unknown> = Object.create(null);
  for (const need of instance.manifest.needs) {
    const { key, service } = need;
    const provider = instance.uses.get(key);
    if (!provider) {
      const get = () => {
        const found = providerOf(need, host.services(), instance);
        return found && standIn(found, service);
      };
      Object.defineProperty(use, key, { enumerable: true, get });
      continue;
    }
    const implementation = provider.contributions.services.get(service)?.implementation;
    use[key] = provider.id === kernelId ? lent(service, implementation as object, instance.scope) : implementation;
  }
  return Object.freeze(use);
}

type Lifecycle = Pick<Context, "start" | "every" | "watch" | "own" | "onConfig">;

function lifecycle(instance: Instance, host: ContextHost): Lifecycle {
  const { scope, id } = instance;
  const guarded = (where: string, work: () => void | Promise<void>) =>
    attempt(
      () => scope.run(work),
      (error) => host.fault(id, where, error),
    );
  /** Work that begins in the start phase; called later than that, it begins at once. */
  const whenStarted = (kind: OwnedKind, label: string, begin: () => void | Promise<void>) => {
    scope.assertOpen(`${kind} ${label}`);
    if (instance.started) return void guarded(label, begin);
    scope.own("start", label);
    instance.starts.push(begin);
  };
  return {
    start: (work) => {
      needsFunction(instance, "start", work);
      whenStarted("start", "start", work);
    },
    every: (ms, fn) => {
      needsFunction(instance, "every", fn);
      if (!(ms >= 1 && ms <= longestTimerMs))
        throw misuse(
          instance,
          `calls every(${ms}); the interval is in milliseconds, from 1 to ${longestTimerMs} (24 days)`,
        );
      const label = `every ${ms} ms`;
      whenStarted("timer", label, () => {
        const { stop, settled } = repeat(host.clock, ms, () => guarded(label, fn));
        scope.own("timer", label, () => {
          stop();
          return quiet(scope, settled);
        });
      });
    },
    watch: (paths, fn) => {
      needsFunction(instance, "watch", fn);
      const list = typeof paths === "string" ? [paths] : [...paths];
      whenStarted("watcher", list.join(", "), () => {
        const watcher = host.watch(list, (changed) => guarded("watch", () => fn(changed)));
        scope.own("watcher", list.join(", "), () => quiet(scope, () => watcher.close()));
      });
    },
    own: (label, release) => {
      needsFunction(instance, `own ${label}`, release);
      scope.own("own", label, release);
    },
    onConfig: (apply) => {
      needsFunction(instance, "onConfig", apply);
      scope.assertOpen("onConfig");
      instance.configListeners.push(apply as never);
      scope.own("config", "onConfig");
    },
  };
}

/** Waits for a run that is under way, unless that waits for the very change that stops it. */
function quiet(scope: Scope, settled: () => Promise<void>): Promise<void> | undefined {
  const waiting = settled();
  return scope.changing ? undefined : waiting;
}

async function attempt(work: () => void | Promise<void>, failed: (error: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed(error);
  }
}
