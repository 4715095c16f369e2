/**
 * A generation: the immutable composition of all live instances' contributions. Registration is tapping: each instance
 * taps the registration hooks, and composing calls each hook once with an empty table. Complete or not at all:
 * a conflict is an error that names both owners.
 */
import { GatewayError, type Panel } from "@chela/sdk";
import { type FaultReporter, HookSet, registrationHook } from "../hooks.ts";
import type {
  AnyCommand,
  AnyMethod,
  AnyStream,
  AnyTool,
  Contributions,
  HealthCheck,
  Instance,
  StaticFolder,
} from "../instance/instance.ts";
import { providerOf, type ServiceTable } from "../instance/stand-in.ts";
import { Router } from "../routes.ts";

export interface Owned<T> {
  readonly owner: Instance;
  readonly item: T;
}

export interface Generation {
  readonly id: number;
  /** In start order, the kernel first. */
  readonly instances: ReadonlyMap<string, Instance>;
  readonly hooks: HookSet;
  readonly router: Router;
  readonly streams: ReadonlyMap<string, Owned<AnyStream>>;
  readonly methods: ReadonlyMap<string, Owned<AnyMethod>>;
  readonly tools: ReadonlyMap<string, Owned<AnyTool>>;
  readonly commands: ReadonlyMap<string, Owned<AnyCommand>>;
  readonly panels: ReadonlyMap<string, Owned<Panel>>;
  readonly statics: readonly Owned<StaticFolder>[];
  readonly health: readonly Owned<HealthCheck>[];
  /** Who provides what. */
  readonly services: ServiceTable;
  /** Why everything but repair answers 503: a critical plugin is down. Empty otherwise. */
  readonly blocked: string;
}

/** The instance that made composing fail, so that the host can leave it out and compose again. */
export class ComposeConflict extends Error {
  readonly instance: Instance;
  constructor(instance: Instance, cause: GatewayError) {
    super(cause.message, { cause });
    this.instance = instance;
  }
}

export function compose(
  id: number,
  instances: readonly Instance[],
  blocked: string,
  report: FaultReporter,
): Generation {
  const router = new Router();
  const streams = table<AnyStream>("stream", (item) => item.path);
  const methods = table<AnyMethod>("method", (item) => item.name);
  const tools = table<AnyTool>("tool", (item) => item.name);
  const commands = table<AnyCommand>("command", (item) => item.name);
  const panels = table<Panel>("panel", (item) => item.id);
  const statics = table<StaticFolder>("static", (item) => item.prefix);
  const health = table<HealthCheck>(
    "health",
    (item) => item.name,
    (owner, item) => `${owner.id} ${item.name}`,
  );
  gather(instances, "routes", router);
  gather(instances, "streams", streams);
  gather(instances, "methods", methods);
  const services = servicesOf(instances);
  gather(instances, "tools", tools, (owner, tool) => hasNeeds(owner, tool, services));
  gather(instances, "commands", commands);
  gather(instances, "panels", panels);
  gather(instances, "statics", statics);
  gather(instances, "health", health);
  return {
    id,
    instances: new Map(instances.map((instance) => [instance.id, instance])),
    hooks: new HookSet(
      instances.flatMap(({ contributions }) => contributions.taps),
      report,
    ),
    router,
    streams: streams.entries,
    methods: methods.entries,
    tools: tools.entries,
    commands: commands.entries,
    panels: panels.entries,
    statics: [...statics.entries.values()].sort((a, b) => b.item.prefix.length - a.item.prefix.length),
    health: [...health.entries.values()],
    services,
    blocked,
  };
}

interface Table<T> {
  add(owner: Instance, item: T): void;
}

type Registered = "routes" | "streams" | "methods" | "tools" | "commands" | "panels" | "statics" | "health";

function gather<K extends Registered>(
  instances: readonly Instance[],
  kind: K,
  into: Table<Contributions[K][number]>,
  isThere: (owner: Instance, item: Contributions[K][number]) => boolean = () => true,
): void {
  const hook = registrationHook<Table<Contributions[K][number]>>();
  for (const owner of instances) {
    hook.tap(owner.id, (target) => {
      try {
        for (const item of owner.contributions[kind]) if (isThere(owner, item)) target.add(owner, item);
      } catch (error) {
        throw GatewayError.is(error) ? new ComposeConflict(owner, error) : error;
      }
    });
  }
  hook.call(into);
}

function servicesOf(instances: readonly Instance[]): ServiceTable {
  return new Map(instances.flatMap((owner) => [...owner.contributions.services.keys()].map((id) => [id, owner])));
}

/** A tool that cannot work without a service is there only together with it. */
function hasNeeds({ manifest }: Instance, { needs = [] }: AnyTool, services: ServiceTable): boolean {
  return needs.every((key) => manifest.needs.some((need) => need.key === key && providerOf(need, services)));
}

function table<T>(what: string, name: (item: T) => string, key = (_owner: Instance, item: T) => name(item)) {
  const entries = new Map<string, Owned<T>>();
  return {
    entries,
    add(owner: Instance, item: T): void {
      const taken = entries.get(key(owner, item));
      if (!taken) return void entries.set(key(owner, item), { owner, item });
      const code = `${what.toUpperCase()}_CONFLICT`;
      throw new GatewayError(
        code,
        409,
        `${what} "${name(item)}" is registered by "${taken.owner.id}" and by "${owner.id}"`,
      );
    },
  };
}
