/** Plugins for commands: over the running gateway, or in the state dir when none runs. Same operations, same rows. */
import { type ChangeResult, GatewayError, type Installed, type PluginInfo, type PluginRow } from "@chela/sdk";
import type { Cli } from "./cli.ts";
import { findAnswering, type Gateway } from "./client.ts";
import { isLoopback } from "./credentials.ts";

/** Without a gateway nothing is known of what a plugin registers. */
export type InfoResult = PluginRow & Partial<Omit<PluginInfo, keyof PluginRow>>;

export interface Finding {
  readonly level: "error" | "warning" | "info";
  readonly plugin: string;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

export interface Uninstall {
  readonly changed: boolean;
  readonly result?: ChangeResult;
}

export interface PluginDoor {
  readonly live: boolean;
  list(): Promise<readonly PluginRow[]>;
  /** What is wrong, worst first. Switched off is no illness, and without a gateway nothing runs. */
  findings(): Promise<readonly Finding[]>;
  info(id: string): Promise<InfoResult>;
  toggle(id: string, enabled: boolean): Promise<ChangeResult>;
  install(source: string): Promise<Installed & { readonly result?: ChangeResult }>;
  uninstall(id: string): Promise<Uninstall>;
}

const installMs = 900_000;

export async function pluginDoor(cli: Cli): Promise<PluginDoor> {
  const gateway = await findAnswering(cli);
  if (gateway) return remoteDoor(cli, gateway);
  const { offlinePlugins } = await import("./plugins-offline.ts");
  return await offlinePlugins(cli);
}

function remoteDoor(cli: Cli, gateway: Gateway): PluginDoor {
  const call = async <T>(method: string, params: object = {}, timeoutMs = 120_000): Promise<T> =>
    (await gateway.call(method, params, { timeoutMs })) as T;
  return {
    live: true,
    list: () => call("plugins.list"),
    findings: async () => [
      ...(await call<readonly Finding[]>("plugins.doctor")),
      ...(gateway.facts ? await fileFindings(cli) : []),
    ],
    info: (id) => call("plugins.info", { id }),
    toggle: (id, enabled) => call(enabled ? "plugins.enable" : "plugins.disable", { id }),
    async install(source) {
      return await call("plugins.install", { source: await sourceFor(cli, gateway, source) }, installMs);
    },
    async uninstall(id) {
      if (gateway.facts && (await wasRemoved(cli, id))) return { changed: false };
      return { changed: true, result: await call("plugins.uninstall", { id }) };
    },
  };
}

/** The gateway does not know in which folder the command was typed; one elsewhere has none of our folders. */
async function sourceFor(cli: Cli, gateway: Gateway, text: string): Promise<string> {
  const { findSource, sourceText } = await import("../plugins/source.ts");
  const source = await findSource(text, cli.io.cwd);
  if (source.kind === "npm" || gateway.facts || isLoopback(gateway.url)) return sourceText(source);
  const message = `${text} is a ${source.kind} on this machine, and the gateway at ${gateway.url} is on another. Install it there, or give an npm name.`;
  throw new GatewayError("PLUGIN_SOURCE", 400, message);
}

/** What is wrong with the files of installed plugins in this state dir. */
export async function fileFindings(cli: Cli): Promise<readonly Finding[]> {
  const doctor = await import("../plugins/doctor.ts");
  return await doctor.fileFindings(cli.places.stateDir);
}

async function wasRemoved(cli: Cli, id: string): Promise<boolean> {
  const { pluginDirs, readLock } = await import("../plugins/lock.ts");
  const lock = await readLock(pluginDirs(cli.places.stateDir));
  return !Object.hasOwn(lock.plugins, id) && lock.removed.includes(id);
}
