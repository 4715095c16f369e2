/** The `plugins` service: lists what the catalog knows with its live state, and turns switches into config writes. */
import {
  type ChangeResult,
  type Config,
  GatewayError,
  type PluginInfo,
  type PluginRow,
  type Plugins,
} from "@chela/sdk";
import type { Host } from "../host/host.ts";
import { kernelId } from "../host/plan.ts";
import type { AnyTool, Contributions, Instance, Manifest } from "../instance/instance.ts";
import { pinsOf } from "../instance/stand-in.ts";
import { pluginUnknown } from "../plugins/entry.ts";

/** Installing and removing files; kernel/plugins does it. */
export interface Installer {
  install(source: string): ReturnType<Plugins["install"]> extends Promise<infer T> ? Promise<Omit<T, "result">> : never;
  uninstall(id: string): Promise<void>;
  /** Goes back to the version that the last install replaced; null when that is gone. */
  revert(id: string): Promise<string | null>;
}

export function pluginsService(host: Host, config: Config, installer: Installer): Plugins {
  const find = (id: string) => findManifest(host, id);
  const { catalog } = host.options;
  const refresh = () => host.renew("plugins", () => catalog.refresh());
  const toggle = async (id: string, enabled: boolean, who: string): Promise<ChangeResult> => {
    const manifest = find(id);
    if (!enabled && manifest.critical)
      host.options.log.logger.warn({ plugin_id: id }, "a critical plugin is switched off by hand");
    host.barred.delete(id);
    const edits = [{ path: `plugins.entries.${id}.enabled`, value: enabled }];
    return config.write(edits, { who, why: `${enabled ? "enable" : "disable"} ${id}` });
  };
  return {
    list: () => host.options.catalog.entries().map((manifest) => row(host, manifest)),
    info: (id) => info(host, find(id)),
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
    install: (source) => installAndApply(host, installer, refresh, source),
    uninstall: async (id) => {
      if (find(id).origin === "builtin")
        throw new GatewayError(
          "PLUGIN_BUILTIN",
          409,
          `"${id}" is built in; switch it off with: chela plugins disable ${id}`,
        );
      await installer.uninstall(id);
      host.barred.delete(id);
      return refresh();
    },
    refresh,
  };
}

/** An upgrade that does not start leaves the version before serving; then its files come back too. */
async function installAndApply(
  host: Host,
  installer: Installer,
  refresh: () => Promise<ChangeResult>,
  source: string,
): ReturnType<Plugins["install"]> {
  const installed = await installer.install(source);
  const { id, previous, changed } = installed;
  host.barred.delete(id);
  const result = await refresh();
  const stays = host.current().instances.get(id)?.manifest.version === previous;
  const failed = result.failed.some((failure) => failure.id === id);
  if (!(failed && changed && previous !== null && stays && (await installer.revert(id))))
    return { ...installed, result };
  await refresh();
  return { ...installed, version: previous, changed: false, result };
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
  return { id, version, state, reason, origin, about, critical };
}

function info(host: Host, manifest: Manifest): PluginInfo {
  const { instances, services, tools } = host.current();
  const instance = instances.get(manifest.id);
  const providers = instance && new Map([...instance.uses, ...pinsOf(instance, services)]);
  const { root, host: range, section, hot, needs, provides, schema } = manifest;
  return {
    ...row(host, manifest),
    root,
    host: range,
    section,
    hot,
    needs: needs.map(({ key, service, range: wanted, optional }) => ({
      service,
      range: wanted,
      optional,
      provider: providers?.get(key)?.id ?? null,
    })),
    provides,
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
    schema,
  };
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
    panels: list("panels").map(({ id, access }) => ({ id, access })),
    statics: list("statics").map(({ prefix, access }) => ({ path: prefix, access })),
    hooks: list("taps").map(({ hook }) => hook),
    health: list("health").map(({ name }) => name),
  };
}
