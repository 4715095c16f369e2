/** The host itself as an instance: it provides the kernel's services and taps the auth hooks, like any plugin would. */
import {
  type Children,
  type Config,
  children,
  config,
  definePlugin,
  type Events,
  events,
  type Files,
  files,
  type Gateway,
  gateway,
  type HookName,
  type LogSource,
  logSource,
  type Plugins,
  plugins,
  type Service,
  type Tools,
  tools,
} from "@chela/sdk";
import { Instance, type Manifest } from "../instance/instance.ts";
import { hostVersion } from "../version.ts";
import { kernelId } from "./plan.ts";

export interface KernelServices {
  readonly children: Children;
  readonly config: Config;
  readonly events: Events;
  readonly files: Files;
  readonly gateway: Gateway;
  readonly log: LogSource;
  readonly plugins: Plugins;
  readonly tools: Tools;
}

export interface KernelTap {
  readonly hook: HookName;
  readonly fn: (...args: never[]) => unknown;
}

const provided = [
  children,
  config,
  events,
  files,
  gateway,
  logSource,
  plugins,
  tools,
] as const satisfies readonly Service<unknown>[];

const manifest: Manifest = {
  id: kernelId,
  version: hostVersion,
  host: "*",
  about: "The host itself",
  critical: false,
  section: "gateway",
  schema: {},
  hot: [],
  needs: [],
  provides: provided.map(({ id, version }) => ({ id, version })),
  enabledByDefault: true,
  origin: "builtin",
  root: "",
  entry: "",
  hash: hostVersion,
  problem: "",
};

export function kernelInstance(services: KernelServices, taps: readonly KernelTap[]): Instance {
  const plugin = definePlugin({ id: kernelId, version: hostVersion, host: "*", setup: () => undefined });
  const instance = new Instance(manifest, plugin, {}, new Map());
  const implementations: readonly unknown[] = [
    services.children,
    services.config,
    services.events,
    services.files,
    services.gateway,
    services.log,
    services.plugins,
    services.tools,
  ];
  for (const [index, { id, version }] of provided.entries()) {
    instance.contributions.services.set(id, { version, implementation: implementations[index] });
  }
  for (const { hook, fn } of taps) {
    instance.contributions.taps.push({
      hook,
      fn,
      owner: instance,
      // Before every other: no tap can stand between a request and the kernel's own answer.
      order: "pre",
      stats: { calls: 0, errors: 0, ms: 0 },
    });
  }
  instance.sealed = true;
  instance.started = true;
  return instance;
}
