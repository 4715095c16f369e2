/** The sections of the config, each with its owner: what the forms are made of. */
import { call } from "../../client/http.ts";
import type { Schema } from "../../parts/schema-form/schema.ts";

export interface Section {
  /** Dotted. */
  readonly path: string;
  readonly owner: string;
  readonly schema: Schema;
  /** Patterns of the keys that apply at once, below the section. */
  readonly hot: readonly string[];
  /** What applies now, defaults included. */
  readonly value: unknown;
}

interface PluginInfo {
  readonly id: string;
  readonly section?: string;
  readonly schema?: Schema;
  readonly hot?: readonly string[];
  readonly value?: unknown;
}

/** These keys of the gateway open a new listener; the others apply at once. */
const listener: ReadonlySet<string> = new Set(["host", "port", "bind", "tls"]);

export async function readSections(signal: AbortSignal): Promise<readonly Section[]> {
  const options = { signal };
  const [schema, gateway, plugins] = await Promise.all([
    call<Schema>("config.schema", {}, options),
    call<{ value?: unknown }>("config.get", { path: "gateway", source: "merged" }, options),
    call<readonly { id: string }[]>("plugins.list", {}, options),
  ]);
  const infos = await Promise.all(plugins.map(({ id }) => call<PluginInfo>("plugins.info", { id }, options)));
  const own = schema.properties?.gateway ?? {};
  const hot = Object.keys(own.properties ?? {}).filter((key) => !listener.has(key));
  const first = { path: "gateway", owner: "gateway", schema: own, hot, value: gateway.value };
  return [first, ...infos.flatMap(sectionOf)].sort((a, b) => a.path.localeCompare(b.path));
}

/** A plugin without settings has no section to show. */
function sectionOf({ id, section, schema, hot = [], value }: PluginInfo): readonly Section[] {
  const keys = Object.keys({ ...schema?.properties, ...schema?.patternProperties });
  if (section === undefined || schema === undefined || keys.length === 0) return [];
  return [{ path: section, owner: id, schema, hot, value }];
}
