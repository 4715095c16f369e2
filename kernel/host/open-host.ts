/**
 * Puts a host together from a state dir: config file, sections, snapshot, services. The binary and the test kit both
 * open a host here, so that what is tested is what runs.
 */
import type { Config, Gateway, Plugins } from "@chela/sdk";
import type { Clock } from "../clock.ts";
import { documentOf } from "../config/disk.ts";
import { ConfigFile } from "../config/file.ts";
import type { PluginsSettings } from "../config/gateway-schema.ts";
import type { Env } from "../config/locate.ts";
import { secretsIn } from "../config/redact.ts";
import { kernelSections, type Section } from "../config/sections.ts";
import { createConfigService } from "../config/service.ts";
import { assertKernelSections, resolveConfig, type Snapshot } from "../config/snapshot.ts";
import type { Log } from "../log.ts";
import { apartFrom } from "../services/apart.ts";
import { childrenService } from "../services/children.ts";
import { hostFiles } from "../services/files.ts";
import { gatewayService } from "../services/gateway.ts";
import { type Installer, pluginsService } from "../services/plugins.ts";
import { sectionValidator } from "../validate.ts";
import { hostVersion } from "../version.ts";
import { applySnapshot } from "./change.ts";
import { Host } from "./host.ts";
import type { Catalog, HostOptions } from "./host-options.ts";
import { unguardedBy } from "./readiness.ts";
import { semanticProblems } from "./semantics.ts";
import { createTools } from "./tools.ts";
import { Trouble } from "./trouble.ts";

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
  const sections = sectionsOf(catalog);
  const file = await ConfigFile.open({ configPath, stateDir, warn: (message) => options.log.logger.warn(message) });
  const validate = sectionValidator();
  const resolve = async (document: Parameters<typeof resolveConfig>[0], previous?: Snapshot) => {
    const snapshot = await resolveConfig(document, { sections: sections(), env, validate, previous });
    options.log.redact(secretsIn(snapshot, previous));
    return snapshot;
  };
  const resolveAgain = ({ raw, hash }: Snapshot) => resolve({ raw, hash, duplicates: [] });
  const snapshot = await resolve(documentOf(file.state, configPath));
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
      resolve: (document) => resolve(document, self.desired),
      apply: (next, why, who, undoes = []) => applySnapshot(self, next, { why, who, undoes, restart: new Set() }),
      exclusive: (work) => self.exclusive(work),
      validateSemantics: (next) => semanticProblems(self.current(), next),
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
      children: childrenService(),
      files: apartFrom(stateDir, hostFiles()),
      tools: createTools({
        current: self.current,
        gate: self.gate,
        report: self.report,
        unguarded: (generation) => unguardedBy(self, generation),
      }),
    };
  });
  return { host, ...(opened as Required<typeof opened>) };
}

/** The same list while the catalog is the same, so that what is made of it is made once. */
function sectionsOf(catalog: Catalog): () => readonly Section[] {
  let known: { entries: unknown; sections: readonly Section[] } | undefined;
  return () => {
    const entries = catalog.entries();
    if (known?.entries !== entries) {
      const own = entries.map(({ id: owner, section: path, schema, hot, critical }) => {
        return { owner, path, schema, hot, critical };
      });
      known = { entries, sections: [...kernelSections, ...own] };
    }
    return known.sections;
  };
}

function unknownPlugins(snapshot: Snapshot, catalog: Catalog): readonly string[] {
  const known = new Set(catalog.entries().map(({ id }) => id));
  const { entries } = snapshot.values.get("plugins") as PluginsSettings;
  return Object.keys(entries).filter((id) => !known.has(id));
}
