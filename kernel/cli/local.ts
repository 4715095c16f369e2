/** This installation and this state dir without a gateway: the plugin catalog and the sections of the config. */
import { kernelSections, type Section } from "../config/sections.ts";
import { type Catalog, openCatalog } from "../plugins/catalog.ts";
import { type Distribution, distribution } from "../plugins/dist.ts";
import { hostVersion } from "../version.ts";
import type { Cli } from "./cli.ts";

export interface Local {
  readonly dist: Distribution;
  readonly catalog: Catalog;
  readonly sections: readonly Section[];
}

/** Imports no plugin and changes nothing. */
export async function openLocal(cli: Cli): Promise<Local> {
  const dist = await distribution(import.meta.url);
  const { stateDir } = cli.places;
  const catalog = await openCatalog({ builtins: dist.builtins, stateDir, hostVersion, sdkDir: dist.sdkDir });
  const owned = catalog.entries().filter((entry) => entry.problem === "");
  const sections = owned.map(({ id, section, schema, hot, critical }) => ({
    owner: id,
    path: section,
    schema,
    hot,
    critical,
  }));
  return { dist, catalog, sections: [...kernelSections, ...sections] };
}
