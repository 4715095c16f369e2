/**
 * Optional needs. What `ctx.use` gives for one is looked up at each use, in what is live then. The service comes as a stand-in:
 * each call counts as work in flight of its provider, which so finishes it before it stops; once that has stopped, the
 * stand-in holds nothing of it, however long somebody keeps it.
 */
import { GatewayError } from "@chela/sdk";
import { satisfies } from "../versions.ts";
import type { Instance, Manifest } from "./instance.ts";
import { namesOf } from "./lend.ts";
import { isPromise, type Scope } from "./scope.ts";

export type OneNeed = Manifest["needs"][number];
/** Service id → who provides it. */
export type ServiceTable = ReadonlyMap<string, Instance>;

/** Who meets a need now; the one that it was set up or left behind with while the instance itself is not live. */
export function providerOf(need: OneNeed, services: ServiceTable, instance?: Instance): Instance | undefined {
  const provider = instance?.pinned ? instance.pinned.get(need.key) : fitting(need, services);
  return provider?.scope.closing ? undefined : provider;
}

/** What an instance has for its optional needs in this table. */
export function pinsOf(instance: Instance, services: ServiceTable): ReadonlyMap<string, Instance> {
  const pins = new Map<string, Instance>();
  for (const need of instance.manifest.needs) {
    const provider = need.optional ? providerOf(need, services, instance) : undefined;
    if (provider) pins.set(need.key, provider);
  }
  return pins;
}

function fitting({ service, range }: OneNeed, services: ServiceTable): Instance | undefined {
  const provider = services.get(service);
  const version = provider?.contributions.services.get(service)?.version;
  return version !== undefined && satisfies(version, range) ? provider : undefined;
}

/** The same one for everybody, as long as the provider lives. */
export function standIn(provider: Instance, service: string): unknown {
  const implementation = provider.contributions.services.get(service)?.implementation;
  if (typeof implementation !== "object" || implementation === null) return implementation;
  const known = provider.standIns.get(service);
  if (known) return known;
  const made = standInFor(provider.scope, implementation as Members);
  provider.standIns.set(service, made);
  return made;
}

type Members = Record<string, unknown>;
type Held = { readonly scope: Scope; readonly implementation: Members };

function standInFor(scope: Scope, implementation: Members): object {
  const owner = scope.owner;
  let held: Held | undefined = { scope, implementation };
  scope.signal.addEventListener(
    "abort",
    () => {
      held = undefined;
    },
    { once: true },
  );
  const live = (): Held => {
    if (held) return held;
    const message = `plugin "${owner}" was stopped; ask ctx.use for its service at each use`;
    throw new GatewayError("PLUGIN_STOPPED", 503, message);
  };
  const made = {};
  for (const name of namesOf(implementation)) {
    const isCall = typeof implementation[name] === "function";
    const value = (...args: unknown[]) => counted(live(), name, args);
    Object.defineProperty(made, name, {
      enumerable: true,
      ...(isCall ? { value } : { get: () => held?.implementation[name] }),
    });
  }
  return Object.freeze(made);
}

function counted({ scope, implementation }: Held, name: string, args: unknown[]): unknown {
  scope.enter();
  let answer: unknown;
  try {
    answer = (implementation[name] as (...rest: unknown[]) => unknown)(...args);
  } catch (error) {
    scope.leave();
    throw error;
  }
  if (isPromise(answer)) return Promise.resolve(answer).finally(() => scope.leave());
  scope.leave();
  return answer;
}
