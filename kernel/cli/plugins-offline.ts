/** Plugins in the state dir while no gateway runs: switches are config edits, installs are files. */
import type { PluginRow } from "@chela/sdk";
import { type CatalogEntry, pluginUnknown } from "../plugins/entry.ts";
import { readGatewayFile } from "../process/gateway-file.ts";
import { hostVersion } from "../version.ts";
import type { Cli } from "./cli.ts";
import { offlineDoor } from "./config-offline.ts";
import { failureOf } from "./failure.ts";
import { openLocal } from "./local.ts";
import { type Finding, fileFindings, type PluginDoor } from "./plugin-door.ts";

export async function offlinePlugins(cli: Cli): Promise<PluginDoor> {
  const { dist, catalog } = await openLocal(cli);
  const { stateDir } = cli.places;
  const rows = async (): Promise<readonly PluginRow[]> => {
    const isOn = await switches(cli);
    return catalog.entries().map((entry) => rowOf(entry, isOn));
  };
  const find = (id: string): CatalogEntry => {
    const entry = catalog.get(id);
    if (!entry)
      throw pluginUnknown(
        id,
        catalog.entries().map((other) => other.id),
      );
    return entry;
  };
  return {
    live: false,
    list: rows,
    findings: async () => [
      ...(await rows()).flatMap(findingOf),
      ...catalog.warnings().map(warning),
      ...(await fileFindings(cli)),
    ],
    async info(id) {
      const entry = find(id);
      const { root, host, section, hot, provides, schema } = entry;
      const nobody = { provider: null, offered: null, missing: true };
      const needs = entry.needs.map(({ service, range, optional }) => ({ service, range, optional, ...nobody }));
      return { ...rowOf(entry, await switches(cli)), root, host, section, hot, needs, provides, schema };
    },
    async toggle(id, enabled) {
      find(id);
      return await (await offlineDoor(cli)).set(`plugins.entries.${id}.enabled`, enabled, {});
    },
    async install(source) {
      const { installPlugin } = await import("../plugins/install.ts");
      const { builtins, sdkDir } = dist;
      const installed = await installPlugin(source, { stateDir, hostVersion, sdkDir, builtins, cwd: cli.io.cwd });
      await catalog.refresh();
      return installed;
    },
    async uninstall(id) {
      const { uninstallPlugin } = await import("../plugins/install.ts");
      // A gateway that only does not answer may still run the plugin's files.
      const deleteNow = (await readGatewayFile(stateDir)) === null;
      const { changed } = await uninstallPlugin(id, { stateDir, builtins: dist.builtins, deleteNow });
      await catalog.refresh();
      return { changed };
    },
  };
}

type IsOn = (entry: CatalogEntry) => boolean;

/** A config that does not parse hides no plugin: its switches count as absent, and the person is told. */
async function switches(cli: Cli): Promise<IsOn> {
  let entries: unknown;
  try {
    const found = await (await offlineDoor(cli)).get("plugins.entries", "merged");
    entries = found.found ? found.value : undefined;
  } catch (error) {
    cli.out.note(failureOf(error).message);
  }
  const all = (entries ?? {}) as Readonly<Record<string, { readonly enabled?: unknown } | undefined>>;
  return (entry) => {
    const enabled = Object.hasOwn(all, entry.id) ? all[entry.id]?.enabled : undefined;
    return typeof enabled === "boolean" ? enabled : entry.enabledByDefault;
  };
}

function rowOf(entry: CatalogEntry, isOn: IsOn): PluginRow {
  const { id, version, origin, about, critical, problem } = entry;
  const base = { id, version, origin, about, critical, enabled: isOn(entry), removable: origin === "installed" };
  if (problem !== "") return { ...base, state: entry.state ?? "failed", reason: problem };
  if (!isOn(entry)) return { ...base, state: "disabled", reason: `switched off; chela plugins enable ${id}` };
  return { ...base, state: "waiting", reason: "starts with the gateway" };
}

function findingOf({ id, state, reason }: PluginRow): Finding[] {
  if (state === "disabled" || state === "waiting") return [];
  return [{ level: "error", plugin: id, message: `${state}: ${reason}`, fix: `chela plugins info ${id}` }];
}

function warning(message: string): Finding {
  return { level: "warning", plugin: "", message, fix: "chela plugins list" };
}
