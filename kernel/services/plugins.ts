/** The `plugins` service: lists what the catalog knows with its live state, and turns switches into config writes. */
import {
  type ChangeResult,
  type Config,
  GatewayError,
  type Installed,
  type Outdated,
  type PluginInfo,
  type PluginRow,
  type Plugins,
} from "@chela/sdk";
import type { Host } from "../host/host.ts";
import { kernelId } from "../host/plan.ts";
import type { AnyTool, Contributions, Instance, Manifest } from "../instance/instance.ts";
import { pinsOf, type ServiceTable } from "../instance/stand-in.ts";
import { pluginUnknown } from "../plugins/entry.ts";
import type { InstallStep, Source } from "../plugins/source.ts";
import { satisfies } from "../versions.ts";

/** Installing and removing files; kernel/plugins does it. */
export interface Installer {
  install(source: string | Source, tell: (step: InstallStep) => void): Promise<Installed>;
  uninstall(id: string): Promise<void>;
  /** What was installed as `id`, to install it again. */
  sourceOf(id: string): Promise<string>;
  outdated(): Promise<readonly Outdated[]>;
  /** Goes back to the version that the last install replaced; null when that is gone. */
  revert(id: string): Promise<string | null>;
}

export function pluginsService(host: Host, config: Config, installer: Installer): Plugins {
  const find = (id: string) => findManifest(host, id);
  const { catalog } = host.options;
  const refresh = (forgiven?: string) => readAgain(host, forgiven);
  const toggle = async (id: string, enabled: boolean, who: string): Promise<ChangeResult> => {
    const manifest = find(id);
    if (!enabled && manifest.critical)
      host.options.log.logger.warn({ plugin_id: id }, "a critical plugin is switched off by hand");
    host.barred.delete(id);
    const edits = [{ path: `plugins.entries.${id}.enabled`, value: enabled }];
    return config.write(edits, { who, why: `${enabled ? "enable" : "disable"} ${id}` });
  };
  const install = async (source: string | Source) => {
    const { installAndApply } = await import("./install-plugin.ts");
    return installAndApply({ host, installer, refresh }, source);
  };
  return {
    list: () => host.options.catalog.entries().map((manifest) => row(host, manifest)),
    info: (id) => info(host, find(id), config),
    enable: (id, who) => toggle(id, true, who),
    disable: (id, who) => toggle(id, false, who),
    reload: (id) => {
      find(id);
      const again = () => {
        host.barred.delete(id);
        return catalog.refresh();
      };
      return host.renew(`reload of ${id}`, again, new Set([id]));
    },
    release: (id) => {
      find(id);
      const forgive = () => {
        host.barred.delete(id);
        host.faults.forget(id);
      };
      return host.renew(`release of ${id}`, forgive);
    },
    install,
    installFile: (path, name) => install({ kind: "tarball", path, uploaded: name }),
    update: async (id) => {
      find(id);
      return install(await installer.sourceOf(id));
    },
    outdated: () => installer.outdated(),
    uninstall: async (id) => {
      mustBeInstalled(find(id));
      await installer.uninstall(id);
      return refresh(id);
    },
    refresh: () => refresh(),
  };
}

function mustBeInstalled({ id, origin }: Manifest): void {
  if (origin !== "builtin") return;
  const message = `"${id}" is built in; switch it off with: chela plugins disable ${id}`;
  throw new GatewayError("PLUGIN_BUILTIN", 409, message);
}

/** What was wrong with `forgiven` before is no matter any more. */
function readAgain(host: Host, forgiven = ""): Promise<ChangeResult> {
  return host.renew("plugins", () => {
    host.barred.delete(forgiven);
    return host.options.catalog.refresh();
  });
}

function findManifest(host: Host, id: string): Manifest {
  const entries = host.options.catalog.entries();
  const manifest = entries.find((entry) => entry.id === id);
  if (manifest) return manifest;
  throw pluginUnknown(
    id.slice(0, 80),
    entries.map((entry) => entry.id),
  );
}

function row(host: Host, manifest: Manifest): PluginRow {
  const { id, version, origin, about, critical } = manifest;
  const state = host.stateOf(id);
  const live = host.current().instances.has(id);
  const reason = live ? "" : (host.barred.get(id)?.reason ?? host.idle.find((idle) => idle.id === id)?.reason ?? "");
  const removable = origin === "installed";
  return { id, version, state, reason, origin, about, critical, enabled: host.enabled(manifest), removable };
}

function info(host: Host, manifest: Manifest, config: Config): PluginInfo {
  const { instances, services, tools } = host.current();
  const instance = instances.get(manifest.id);
  const providers = instance && new Map([...instance.uses, ...pinsOf(instance, services)]);
  const { root, host: range, enabledByDefault, section, hot, needs, provides, schema } = manifest;
  return {
    ...row(host, manifest),
    root,
    host: range,
    enabledByDefault,
    section,
    value: config.get(section, "merged").value,
    hot,
    needs: needs.map(({ key, service, range: wanted, optional }) => ({
      service,
      range: wanted,
      optional,
      provider: providers?.get(key)?.id ?? null,
      ...offerOf(service, wanted, services),
    })),
    provides,
    usedBy: usersOf(manifest.id, [...instances.values()], services),
    contributions: contributionsOf(instance, new Set([...tools.values()].map(({ item }) => item))),
    startup: instance?.startup ?? null,
    hooks:
      instance?.contributions.taps.map(({ hook, stats }) => ({
        hook,
        calls: stats.calls,
        errors: stats.errors,
        ms: stats.ms,
      })) ?? [],
    faults: manifest.id === kernelId ? 0 : host.faults.count(manifest.id),
    lastFault: host.faults.last(manifest.id),
    schema,
  };
}

function usersOf(id: string, instances: readonly Instance[], services: ServiceTable): PluginInfo["usedBy"] {
  return instances.flatMap((user) => {
    const providers = new Map([...user.uses, ...pinsOf(user, services)]);
    const used = user.manifest.needs.filter(({ key }) => providers.get(key)?.id === id);
    return used.map(({ service, optional }) => ({ id: user.manifest.id, service, optional }));
  });
}

function offerOf(service: string, range: string, services: ServiceTable) {
  const owner = services.get(service);
  const version = owner?.contributions.services.get(service)?.version;
  if (!owner || version === undefined) return { offered: null, missing: true };
  return { offered: { id: owner.id, version }, missing: !satisfies(version, range) };
}

function contributionsOf(instance: Instance | undefined, offered: ReadonlySet<AnyTool>): PluginInfo["contributions"] {
  const list = <K extends keyof Omit<Contributions, "services">>(kind: K) =>
    (instance?.contributions[kind] ?? []) as Contributions[K];
  return {
    routes: list("routes").map(({ method, path, access }) => ({ method, path, access })),
    streams: list("streams").map(({ path, access }) => ({ path, access })),
    methods: list("methods").map(({ name, access }) => ({ name, access })),
    tools: list("tools")
      .filter((tool) => offered.has(tool))
      .map(({ name, access, risk }) => ({ name, access, risk })),
    commands: list("commands").map(({ name, access }) => ({ name, access })),
    panels: list("panels").map(({ id, title, access }) => ({ id, title, access })),
    statics: list("statics").map(({ prefix, access }) => ({ path: prefix, access })),
    hooks: list("taps").map(({ hook }) => hook),
    health: list("health").map(({ name }) => name),
  };
}
