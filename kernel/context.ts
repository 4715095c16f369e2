/**
 * Makes the Context of one instance: every call checks the scope, records what was registered and hands it to the scope.
 * The rules of registration (names, access, duplicates inside one plugin) are enforced here, at the call that breaks them.
 */
import { mkdirSync } from "node:fs";
import {
  type CallableHook,
  type Context,
  type HookName,
  type HookResult,
  type HookTaps,
  hookKinds,
  type Logger,
  type Service,
} from "@chela/sdk";
import type { Clock } from "./clock.ts";
import { repeat } from "./every.ts";
import type { HookSet } from "./hooks.ts";
import type { Instance } from "./instance.ts";
import { misuse, needsAccess, needsPath } from "./misuse.ts";
import type { OwnedKind, Scope } from "./scope.ts";
import { staticHandler } from "./static.ts";

/** What the host lends to every Context. Getters, so that nothing is captured across generations. */
export interface ContextHost {
  readonly clock: Clock;
  hooks(): HookSet;
  logger(id: string): Logger;
  dataDir(id: string): string;
  emit(type: string, payload: Readonly<Record<string, unknown>>, owner: string): void;
  fault(owner: string, where: string, error: unknown): void;
  watch(paths: readonly string[], onChange: (changed: readonly string[]) => void): { close(): Promise<void> };
  fetch(
    url: string | URL,
    init: (RequestInit & { trust?: readonly string[] }) | undefined,
    signal: AbortSignal,
  ): Promise<Response>;
}

const callable: ReadonlySet<HookName> = new Set<CallableHook>([
  "message:in",
  "message:out",
  "agent:pick",
  "model:request",
  "model:reply",
  "model:chunk",
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
    get config() {
      return instance.config;
    },
    use: usesOf(instance) as never,
    get dataDir() {
      scope.assertOpen("dataDir");
      dataDir ??= host.dataDir(id);
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      return dataDir;
    },
    ...registrations(instance),
    ...lifecycle(instance, host),
    call<H extends CallableHook>(hook: H, ...args: Parameters<HookTaps[H]>): HookResult<H> {
      scope.assertOpen(`call ${hook}`);
      if (!callable.has(hook)) throw misuse(instance, `may not run the hook "${hook}"`);
      return host.hooks().run(hook, ...args);
    },
    emit(type, payload = {}) {
      scope.assertOpen("emit");
      host.emit(type, payload, id);
    },
    fetch(url, init) {
      scope.assertOpen("fetch");
      return host.fetch(url, init, scope.signal);
    },
  };
}

function usesOf(instance: Instance): Record<string, unknown> {
  const use: Record<string, unknown> = Object.create(null);
  for (const { key, service } of instance.manifest.needs) {
    const implementation = instance.uses.get(key)?.contributions.services.get(service)?.implementation;
    use[key] = changing.has(service) ? lent(implementation as object, instance.scope) : implementation;
  }
  return Object.freeze(use);
}

/** Services of the host that change what is live. */
const changing: ReadonlySet<string> = new Set(["config", "plugins", "gateway"]);

/** While a plugin waits for a change it asked for, its own waiting is no work in flight: else it would hold up its own restart. */
function lent(service: object, scope: Scope): object {
  const wrapped: Record<string, unknown> = Object.create(service);
  for (const [name, member] of Object.entries(service)) {
    if (typeof member !== "function") continue;
    wrapped[name] = (...args: unknown[]) => {
      const answer: unknown = member.apply(service, args);
      return answer instanceof Promise && scope.inFlight > 0 ? scope.pause(answer) : answer;
    };
  }
  return wrapped;
}

type Registrations = Pick<
  Context,
  "on" | "route" | "stream" | "method" | "tool" | "command" | "panel" | "static" | "health" | "provide"
>;

function registrations(instance: Instance): Registrations {
  const add = register(instance);
  const { contributions } = instance;
  return {
    on<H extends HookName>(hook: H, fn: HookTaps[H], order?: "pre" | "post") {
      if (!(hook in hookKinds))
        throw misuse(instance, `taps the unknown hook "${hook}"; the hooks are listed in the SDK`);
      const stats = { calls: 0, errors: 0, ms: 0 };
      add("hook", hook, contributions.taps, { hook, owner: instance, order, fn, stats });
    },
    route: (route) => {
      needsPath(instance, "route", route.path);
      needsAccess(instance, `route ${route.method} ${route.path}`, route.access);
      add("route", `${route.method} ${route.path}`, contributions.routes, route as never);
    },
    stream: (stream) => {
      needsPath(instance, "stream", stream.path);
      needsAccess(instance, `stream ${stream.path}`, stream.access);
      add("stream", stream.path, contributions.streams, stream as never);
    },
    method: (method) => {
      needsAccess(instance, `method ${method.name}`, method.access);
      add("method", method.name, contributions.methods, method as never);
    },
    tool: (tool) => {
      needsAccess(instance, `tool ${tool.name}`, tool.access);
      if (!/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name))
        throw misuse(instance, `names a tool "${tool.name}"; use 1-64 letters, digits, _ or -`);
      add("tool", tool.name, contributions.tools, tool as never);
    },
    command: (command) => {
      needsAccess(instance, `command ${command.name}`, command.access);
      add("command", command.name, contributions.commands, command as never);
    },
    panel: (panel) => {
      needsAccess(instance, `panel ${panel.id}`, panel.access);
      add("panel", panel.id, contributions.panels, panel);
    },
    static: (prefix, folder, options) => {
      needsPath(instance, "static", prefix);
      needsAccess(instance, `static ${prefix}`, options.access);
      add("static", prefix, contributions.statics, {
        prefix,
        folder,
        access: options.access,
        open: once(() => staticHandler(folder)),
      });
    },
    health: (name, check) => add("health", name, contributions.health, { name, check }),
    provide: (service, implementation) => provide(instance, service, implementation),
  };
}

function register(instance: Instance) {
  return <T>(kind: OwnedKind, label: string, list: T[], item: T): void => {
    instance.scope.assertOpen(`${kind} ${label}`);
    if (instance.sealed)
      throw misuse(instance, `registers the ${kind} "${label}" after setup; register everything in setup`);
    list.push(item);
    instance.scope.own(kind, label);
  };
}

function provide<T>(instance: Instance, service: Service<T>, implementation: T): void {
  const { scope, contributions, manifest } = instance;
  scope.assertOpen(`provide ${service.id}`);
  if (instance.sealed) throw misuse(instance, `provides "${service.id}" after setup`);
  const declared = manifest.provides.find(({ id }) => id === service.id);
  if (!declared) throw misuse(instance, `provides "${service.id}" without listing it in \`provides\``);
  if (contributions.services.has(service.id)) throw misuse(instance, `provides "${service.id}" twice`);
  contributions.services.set(service.id, { version: declared.version, implementation });
  scope.own("service", service.id);
}

type Lifecycle = Pick<Context, "start" | "every" | "watch" | "own" | "onConfig">;

function lifecycle(instance: Instance, host: ContextHost): Lifecycle {
  const { scope } = instance;
  /** Work that begins in the start phase; called later than that, it begins at once. */
  const whenStarted = (kind: OwnedKind, label: string, begin: () => void | Promise<void>) => {
    scope.assertOpen(`${kind} ${label}`);
    if (instance.started) return void begin();
    scope.own("start", label);
    instance.starts.push(begin);
  };
  return {
    start: (work) => whenStarted("start", "start", work),
    every: (ms, fn) => {
      if (!(ms >= 1)) throw misuse(instance, `calls every(${ms}); the interval is in milliseconds, at least 1`);
      whenStarted("timer", `every ${ms} ms`, () => {
        const stop = repeat(host.clock, ms, fn, (error) => host.fault(instance.id, `every ${ms} ms`, error));
        scope.own("timer", `every ${ms} ms`, stop);
      });
    },
    watch: (paths, fn) => {
      const list = typeof paths === "string" ? [paths] : [...paths];
      whenStarted("watcher", list.join(", "), () => {
        const watcher = host.watch(list, (changed) => {
          void attempt(
            () => fn(changed),
            (error) => host.fault(instance.id, "watch", error),
          );
        });
        scope.own("watcher", list.join(", "), () => watcher.close());
      });
    },
    own: (label, release) => void scope.own("own", label, release),
    onConfig: (apply) => {
      scope.assertOpen("onConfig");
      instance.configListeners.push(apply as never);
      scope.own("config", "onConfig");
    },
  };
}

async function attempt(work: () => void | Promise<void>, failed: (error: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed(error);
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
