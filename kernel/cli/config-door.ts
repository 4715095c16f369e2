/**
 * The configuration for commands, over the running gateway or, without one, on the file itself: the same operations and
 * the same results either way. A config file that the running gateway does not use is always edited as a file.
 */
import type { Backup, ChangeResult, Config, ConfigProblem, PlannedChange, WriteOptions } from "@chela/sdk";
import type { Cli } from "./cli.ts";
import { findAnswering, type Gateway } from "./client.ts";

export type Found = ReturnType<Config["get"]>;
export type Source = Parameters<Config["get"]>[1];
export type WriteFlags = Pick<WriteOptions, "baseHash" | "force">;

export interface CheckResult {
  readonly path: string;
  readonly problems: readonly ConfigProblem[];
  readonly trouble: ReturnType<Config["trouble"]>;
}

export interface ConfigDoor {
  /** Whether what is written applies at once, soon (the gateway watches the file), or at the next start. */
  readonly applies: "now" | "soon" | "later";
  readonly path: string;
  get(path: string | undefined, source: Source): Promise<Found>;
  set(path: string, value: unknown, flags: WriteFlags): Promise<ChangeResult>;
  unset(path: string, flags: WriteFlags): Promise<ChangeResult>;
  check(): Promise<CheckResult>;
  plan(path: string, value: unknown): Promise<readonly PlannedChange[]>;
  planFile(text: string): Promise<readonly PlannedChange[]>;
  diff(id: string | undefined): Promise<string>;
  backups(): Promise<readonly Backup[]>;
  rollback(id: string | undefined): Promise<ChangeResult>;
  schema(): Promise<unknown>;
}

export async function configDoor(cli: Cli): Promise<ConfigDoor> {
  const gateway = await findAnswering(cli);
  if (gateway && !(cli.places.configNamed && isOther(gateway, cli.places.configPath))) return remoteDoor(gateway);
  const { offlineDoor } = await import("./config-offline.ts");
  return await offlineDoor(cli);
}

function isOther(gateway: Gateway, configPath: string): boolean {
  return gateway.facts?.configPath !== undefined && gateway.facts.configPath !== configPath;
}

function remoteDoor(gateway: Gateway): ConfigDoor {
  const call = async <T>(method: string, params: object = {}): Promise<T> =>
    (await gateway.call(method, params, { timeoutMs: 120_000 })) as T;
  return {
    applies: "now",
    path: gateway.facts?.configPath ?? `the config of ${gateway.url}`,
    get: (path, source) => call("config.get", { path, source }),
    set: (path, value, flags) => call("config.set", { path, value, ...flags }),
    unset: (path, flags) => call("config.unset", { path, ...flags }),
    check: () => call("config.check"),
    plan: (path, value) => call("config.plan", { path, value }),
    planFile: (text) => call("config.plan", { text }),
    diff: async (id) => (await call<{ diff: string }>("config.diff", { id })).diff,
    backups: () => call("config.backups"),
    rollback: (id) => call("config.rollback", { id }),
    schema: () => call("config.schema"),
  };
}
