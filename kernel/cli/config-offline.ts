/** The config file without a gateway, through the same service that the gateway runs. What is written applies at the next start. */
import { type Config, GatewayError } from "@chela/sdk";
import { openOffline } from "../config/offline.ts";
import { readGatewayFile } from "../process/gateway-file.ts";
import { sectionProblems } from "../validate.ts";
import type { Cli } from "./cli.ts";
import type { ConfigDoor } from "./config-door.ts";
import { openLocal } from "./local.ts";

export async function offlineConfig(cli: Cli): Promise<Config> {
  const { sections } = await openLocal(cli);
  const { stateDir, configPath } = cli.places;
  const validate = (_owner: string, schema: unknown, value: unknown) => sectionProblems(schema, value);
  const warn = (message: string) => cli.out.note(message);
  return await openOffline({ stateDir, configPath, sections, env: cli.io.env, validate, warn });
}

export async function offlineDoor(cli: Cli): Promise<ConfigDoor> {
  const config = await offlineConfig(cli);
  return {
    applies: (await isWatched(cli)) ? "soon" : "later",
    path: config.path,
    async get(path, source) {
      const trouble = config.trouble();
      if (trouble) throw new GatewayError("CONFIG_SYNTAX", 400, trouble.message, { ...trouble });
      if (path !== undefined) return config.get(path, source);
      return { found: true, value: source === "file" ? config.file() : config.view() };
    },
    set: (path, value, flags) => config.write([{ path, value }], { who: "cli", why: `config set ${path}`, ...flags }),
    unset: (path, flags) =>
      config.write([{ path, value: undefined }], { who: "cli", why: `config unset ${path}`, ...flags }),
    async check() {
      const trouble = config.trouble();
      return { path: config.path, trouble, problems: trouble ? [] : config.problems() };
    },
    plan: (path, value) => config.plan([{ path, value }]),
    planFile: (text) => config.planFile(text),
    diff: (id) => config.diff(id),
    backups: () => config.backups(),
    rollback: (id) => config.rollback(id, { who: "cli", why: `config rollback ${id ?? ""}`.trim() }),
    schema: async () => config.schema(),
  };
}

async function isWatched(cli: Cli): Promise<boolean> {
  const facts = await readGatewayFile(cli.places.stateDir);
  return facts?.configPath === cli.places.configPath;
}
