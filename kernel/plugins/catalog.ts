/**
 * All plugins this host could run: built-in ones from the build's list, installed ones from the lock file, folders named
 * for development. Reading it imports no plugin code here; `load` does, and only for the one that is asked for.
 */
import { readdir, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError, type Plugin } from "@chela/sdk";
import { type BuiltinManifest, type CatalogEntry, pluginUnknown } from "./entry.ts";
import { importPlugin } from "./import-plugin.ts";
import { type Lock, pluginDirs, readLock } from "./lock.ts";
import { assertRanges, manifestOf } from "./manifest.ts";
import { hostProblem } from "./package-file.ts";

export interface CatalogOptions {
  readonly builtins: readonly BuiltinManifest[];
  readonly stateDir: string;
  readonly hostVersion: string;
  /** The host's SDK: the gateway repairs the link of the installed plugins with it. Needed for `paths`. */
  readonly sdkDir?: string;
  /** Folders of plugins in development. Opening fails when one of them is broken; a later refresh keeps what it had. */
  readonly paths?: readonly string[];
  /** Plugins that exist in memory only, as tests make them. */
  readonly plugins?: readonly Plugin[];
  /** True in the gateway, which alone may delete the folders of replaced plugins. */
  readonly owner?: boolean;
}

export interface Catalog {
  /** Built-in ones first, then by id. The same list until something about a plugin changes. */
  entries(): readonly CatalogEntry[];
  get(id: string): CatalogEntry | undefined;
  /** What is not a row: a broken lock file, an installed plugin that a built-in replaced. */
  warnings(): readonly string[];
  /** Reads the lock file and the manifests again. */
  refresh(): Promise<void>;
  /** Imports a plugin. Throws `PLUGIN_UNKNOWN`, `PLUGIN_INCOMPATIBLE`, `PLUGIN_INTEGRITY`, `PLUGIN_IMPORT` … */
  load(id: string): Promise<Plugin>;
}

export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const catalog = new PluginCatalog(options);
  await catalog.refresh();
  return catalog;
}

class PluginCatalog implements Catalog {
  readonly #options: CatalogOptions;
  readonly #memory: ReadonlyMap<string, Plugin>;
  #entries: ReadonlyMap<string, CatalogEntry> = new Map();
  #rows: readonly CatalogEntry[] = [];
  #warnings: readonly string[] = [];
  #lock: Lock = { version: 1, plugins: {}, retired: [], removed: [] };
  /** Entry file → plugin: a module is imported once and its bytes are checked once. */
  readonly #loaded = new Map<string, Promise<Plugin>>();
  /** Folders that were in the list at the last refresh: their instances may still be draining. */
  #current: ReadonlySet<string> = new Set();

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#memory = new Map((options.plugins ?? []).map((plugin) => [plugin.id, plugin]));
  }

  entries(): readonly CatalogEntry[] {
    return this.#rows;
  }

  get(id: string): CatalogEntry | undefined {
    return this.#entries.get(id);
  }

  warnings(): readonly string[] {
    return this.#warnings;
  }

  async refresh(): Promise<void> {
    const warnings: string[] = [];
    const entries = new Map<string, CatalogEntry>();
    for (const entry of [...(await this.#builtins()), ...(await this.#paths(warnings))]) add(entries, entry, warnings);
    for (const entry of await this.#installed(warnings)) add(entries, entry, warnings);
    this.#take(entries);
    this.#warnings = warnings;
    await this.#sweep();
  }

  #take(entries: ReadonlyMap<string, CatalogEntry>): void {
    this.#entries = entries;
    this.#rows = [...entries.values()];
  }

  async load(id: string): Promise<Plugin> {
    const entry = this.#entries.get(id);
    if (!entry) throw pluginUnknown(id, [...this.#entries.keys()]);
    if (entry.problem !== "") {
      const code = entry.state === "incompatible" ? "PLUGIN_INCOMPATIBLE" : "PLUGIN_BROKEN";
      throw new GatewayError(code, 409, `Plugin "${id}": ${entry.problem}`, { plugin: id });
    }
    const memory = this.#memory.get(id);
    if (memory) return memory;
    const loading = this.#loaded.get(entry.entry) ?? this.#import(entry);
    this.#loaded.set(entry.entry, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(entry.entry);
      throw error;
    }
  }

  async #import(entry: CatalogEntry): Promise<Plugin> {
    const record = entry.origin === "installed" ? this.#lock.plugins[entry.id] : undefined;
    if (!record) return importPlugin(entry, pathToFileURL(entry.entry).href);
    try {
      const { loadInstalled } = await import("./installed-entry.ts");
      return await loadInstalled(entry, record);
    } catch (error) {
      const failed: CatalogEntry = { ...entry, problem: (error as Error).message, state: "failed" };
      this.#take(new Map([...this.#entries, [entry.id, failed]]));
      throw error;
    }
  }

  async #builtins(): Promise<CatalogEntry[]> {
    const built = this.#options.builtins.map(
      ({ file, ...manifest }): CatalogEntry => ({ ...manifest, origin: "builtin", root: dirname(file), entry: file }),
    );
    const entries = [...built, ...[...this.#memory.values()].map((plugin) => manifestOf(plugin))];
    for (const entry of entries) await assertRanges(entry);
    return Promise.all(entries.map((entry) => this.#checked(entry)));
  }

  async #checked(entry: CatalogEntry): Promise<CatalogEntry> {
    const problem = await hostProblem(entry, this.#options.hostVersion);
    return problem === "" ? entry : { ...entry, problem, state: "incompatible" };
  }

  async #paths(warnings: string[]): Promise<CatalogEntry[]> {
    const { paths = [], sdkDir, stateDir } = this.#options;
    if (paths.length === 0 || sdkDir === undefined) return [];
    const { pathEntry } = await import("./path-plugin.ts");
    const outDir = join(pluginDirs(stateDir).root, ".paths");
    const entries: CatalogEntry[] = [];
    for (const folder of paths) {
      try {
        entries.push(await pathEntry(folder, outDir, { ...this.#options, sdkDir }));
      } catch (error) {
        const before = this.entries().find((entry) => entry.origin === "path" && entry.root === resolve(folder));
        if (!before) throw error;
        entries.push(before);
        warnings.push(`${folder}: ${(error as Error).message} The version before stays.`);
      }
    }
    await removeOthers(outDir, entries);
    return entries;
  }

  async #installed(warnings: string[]): Promise<CatalogEntry[]> {
    const dirs = pluginDirs(this.#options.stateDir);
    try {
      this.#lock = await readLock(dirs);
    } catch (error) {
      warnings.push((error as Error).message);
    }
    const records = Object.entries(this.#lock.plugins).sort(([a], [b]) => (a < b ? -1 : 1));
    if (records.length === 0) return [];
    const { installedEntries } = await import("./installed-entry.ts");
    const { owner, sdkDir, hostVersion } = this.#options;
    return installedEntries(dirs, records, { hostVersion, warnings, ...(owner && { sdkDir }) });
  }

  /** A folder goes once it is out of the list for a whole refresh, or was never loaded here. */
  async #sweep(): Promise<void> {
    const current = new Set(Object.values(this.#lock.plugins).map(({ folder }) => folder));
    const draining = this.#current;
    this.#current = current;
    if (!this.#options.owner || this.#lock.retired.length === 0) return;
    const root = pluginDirs(this.#options.stateDir).root;
    const isLoaded = (folder: string) =>
      [...this.#loaded.keys()].some((file) => file.startsWith(join(root, folder) + sep));
    // By now another install may have replaced what is about to be loaded here.
    const keep = new Set([...current, ...this.#lock.retired.filter((each) => draining.has(each) && isLoaded(each))]);
    const { sweepRetired } = await import("./install.ts");
    await sweepRetired(this.#options.stateDir, keep).catch(() => undefined);
  }
}

/** The first of an id or a section wins: built-in, then development, then installed. */
function add(entries: Map<string, CatalogEntry>, entry: CatalogEntry, warnings: string[]): void {
  const there = entries.get(entry.id);
  if (there) {
    const hint = entry.origin === "installed" ? ` Remove the other one: chela plugins uninstall ${entry.id}` : "";
    warnings.push(`The ${entry.origin} plugin "${entry.id}" is left out: the ${there.origin} one has that id.${hint}`);
    return;
  }
  const rival = [...entries.values()].find((other) => areRivals(other, entry));
  if (!rival || entry.problem !== "") entries.set(entry.id, entry);
  else
    entries.set(entry.id, {
      ...entry,
      problem: `its config section "${entry.section}" belongs to "${rival.id}"; it needs a section of its own`,
      state: "failed",
    });
}

/** A section inside another one's is a matter between built-in plugins; anybody else's would take what is not his. */
function areRivals(a: CatalogEntry, b: CatalogEntry): boolean {
  if (a.section === b.section) return true;
  const nested = a.section.startsWith(`${b.section}.`) || b.section.startsWith(`${a.section}.`);
  return nested && !(a.origin === "builtin" && b.origin === "builtin");
}

async function removeOthers(outDir: string, entries: readonly CatalogEntry[]): Promise<void> {
  const kept = new Set(entries.flatMap(({ id, hash }) => [`${id}-${hash}.mjs`, `${hash}.json`]));
  for (const name of await readdir(outDir).catch(() => [])) {
    if (!kept.has(name)) await rm(join(outDir, name), { force: true });
  }
}
