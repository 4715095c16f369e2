/**
 * Puts a host together from a state dir: config file, sections, snapshot, services. The binary and the test kit both
 * open a host here, so that what is tested is what runs.
 */
import type { Config, ConfigProblem, Gateway, Plugins } from "@chela/sdk";
import { applySnapshot } from "./change.ts";
import type { Clock } from "./clock.ts";
import { ConfigFile } from "./config/file.ts";
import type { PluginsSettings } from "./config/gateway-schema.ts";
import type { Env } from "./config/locate.ts";
import { secretsIn } from "./config/redact.ts";
import { kernelSections, type Section } from "./config/sections.ts";
import { createConfigService } from "./config/service.ts";
import { assertKernelSections, resolveConfig, resolveText, type Snapshot } from "./config/snapshot.ts";
import { Host } from "./host.ts";
import type { Catalog, HostOptions } from "./host-options.ts";
import type { Log } from "./log.ts";
import { gatewayService } from "./services/gateway.ts";
import { type Installer, pluginsService } from "./services/plugins.ts";
import { createTools } from "./tools.ts";
import { Trouble } from "./trouble.ts";
import { sectionValidator } from "./validate.ts";
import { hostVersion } from "./version.ts";

export interface OpenOptions extends Pick<HostOptions, "overrides" | "safeMode" | "wrapContext"> {
  readonly stateDir: string;
  readonly configPath: string;
  readonly env: Env;
  readonly catalog: Catalog;
  readonly installer: Installer;
  readonly clock: Clock;
  readonly log: Log;
  readonly generatedToken: string;
}

export interface OpenHost {
  readonly host: Host;
  readonly config: Config;
  readonly plugins: Plugins;
  readonly gateway: Gateway;
}

/** Throws what reading the file throws (`CONFIG_SYNTAX`, `CONFIG_INVALID`); listens to nothing yet. */
export async function openHost(options: OpenOptions): Promise<OpenHost> {
  const { catalog, configPath, env, stateDir } = options;
  const sections = (): readonly Section[] => [...kernelSections, ...catalog.entries().map(sectionOfEntry)];
  const file = await ConfigFile.open({ configPath, stateDir, warn: (message) => options.log.logger.warn(message) });
  const validate = sectionValidator();
  const resolving = (previous?: Snapshot) => ({
    sections: sections(),
    env,
    validate,
    previous,
  });
  const masked = async (resolved: Promise<Snapshot>) => {
    options.log.redact(secretsIn(await resolved));
    return resolved;
  };
  const resolve = (text: string | null, previous?: Snapshot) =>
    masked(resolveText(text, configPath, resolving(previous)));
  const resolveAgain = ({ raw, hash }: Snapshot) => masked(resolveConfig({ raw, hash, duplicates: [] }, resolving()));
  const snapshot = await resolve(file.text);
  assertKernelSections(snapshot);
  for (const { path, message, level } of snapshot.problems)
    options.log.logger.warn({ path, level }, `config: ${path} ${message}`);
  for (const id of unknownPlugins(snapshot, catalog))
    options.log.logger.warn({ plugin_id: id }, `config: plugins.entries.${id} names a plugin that is not installed`);
  const opened: { config?: Config; plugins?: Plugins; gateway?: Gateway } = {};
  const host = new Host({ ...options, snapshot, sections, resolveAgain, version: hostVersion }, (self) => {
    const trouble = new Trouble(self.events);
    const config = createConfigService({
      file,
      sections,
      snapshot: () => self.desired,
      resolve: (text) => resolve(text, self.desired),
      apply: (next, why, who) => applySnapshot(self, next, { why, who, restart: new Set() }),
      exclusive: (work) => self.exclusive(work),
      validateSemantics: ({ merged }) => semanticProblems(self, merged),
      pending: () => self.pending(),
      trouble: () => trouble.get(),
      setTrouble: (state) => trouble.set(state),
    });
    const gateway = gatewayService(self, configPath);
    const plugins = pluginsService(self, config, options.installer);
    Object.assign(opened, { config, plugins, gateway });
    return {
      config,
      plugins,
      gateway,
      events: self.events,
      log: options.log.source,
      tools: createTools({ current: self.current, gate: self.gate, report: self.report }),
    };
  });
  return { host, ...(opened as Required<typeof opened>) };
}

function sectionOfEntry(entry: {
  id: string;
  section: string;
  schema: Readonly<Record<string, unknown>>;
  hot: readonly string[];
  critical: boolean;
}): Section {
  return { owner: entry.id, path: entry.section, schema: entry.schema, hot: entry.hot, critical: entry.critical };
}

async function semanticProblems(
  host: Host,
  merged: Readonly<Record<string, unknown>>,
): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  await host.current().hooks.run("config:validate", merged, (problem) => problems.push(problem));
  return problems;
}

function unknownPlugins(snapshot: Snapshot, catalog: Catalog): readonly string[] {
  const known = new Set(catalog.entries().map(({ id }) => id));
  const { entries } = snapshot.values.get("plugins") as PluginsSettings;
  return Object.keys(entries).filter((id) => !known.has(id));
}
