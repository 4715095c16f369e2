/**
 * What the host knows of a plugin without running it. `manifestOf` turns the data of a `definePlugin` into a catalog
 * entry and refuses, with a sentence for its author, whatever a host could not work with.
 */
import { isObject, type Plugin } from "@chela/sdk";
import { nearest } from "../nearest.ts";
import { prepareRanges, validRange, validVersion } from "../versions.ts";
import { type CatalogEntry, type CatalogNeed, manifestError } from "./entry.ts";

const knownKeys = [
  "id",
  "version",
  "host",
  "about",
  "critical",
  "section",
  "config",
  "hot",
  "needs",
  "provides",
  "enabledByDefault",
  "setup",
];

/** Lower kebab case, as it is used for folders, config keys and URLs. */
export const idPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const keyPattern = /^[A-Za-z_$][\w$]*$/;
const servicePattern = /^[a-z][a-zA-Z0-9]*(?:[-.][a-zA-Z0-9]+)*$/;
const sectionPattern = /^[A-Za-z_][\w-]*(?:\.[\w-]+){0,7}$/;
const unsafeKeys = new Set(["__proto__", "constructor", "prototype"]);
/** Sections and names of the host itself. */
const kernelSections = ["gateway", "plugins"];
const reservedIds = new Set(["kernel", "constructor", "prototype", "con", "nul", "prn", "aux"]);
const maxSchemaBytes = 256 * 1024;

type Raw = Readonly<Record<string, unknown>>;

/** The catalog entry of a plugin object. Throws `PLUGIN_MANIFEST` (422) naming the plugin, the field and what it must be. */
export function manifestOf(plugin: Plugin): CatalogEntry {
  return readDefinition(plugin as unknown as Raw);
}

/** The same for the data of a definition that ran elsewhere; `setup` is then the text `"function"`. */
export function readDefinition(raw: Raw): CatalogEntry {
  const id = pluginId(raw.id, "definePlugin");
  const fail = failFor(id);
  if (typeof raw.setup !== "function" && raw.setup !== "function") fail("setup", "must be a function");
  refuseTypos(raw, fail);
  const schema = configSchema(raw.config, fail);
  return {
    id,
    version: versionOf(raw.version, fail),
    host: rangeText(raw.host, "host", fail),
    about: text(raw.about, "about", fail).replace(/\s+/g, " ").slice(0, 300),
    critical: flag(raw.critical, "critical", false, fail),
    section: sectionOf(raw.section, id, fail),
    schema,
    hot: hotKeys(raw.hot, schema, fail),
    needs: needsOf(raw.needs, fail),
    provides: providesOf(raw.provides, fail),
    enabledByDefault: flag(raw.enabledByDefault, "enabledByDefault", true, fail),
    origin: "builtin",
    root: "",
    entry: "",
    hash: "",
    problem: "",
  };
}

/** Checks the ranges of a manifest and loads what comparing them takes. */
export async function assertRanges(
  manifest: Pick<CatalogEntry, "id" | "host" | "needs" | "provides" | "version">,
): Promise<void> {
  const fail = failFor(manifest.id);
  const named = [
    ["host", manifest.host] as const,
    ...manifest.needs.map(({ key, range }) => [`needs.${key}`, range] as const),
  ];
  for (const [field, range] of named) {
    if (!(await validRange(range)))
      fail(field, `has the range ${JSON.stringify(range)}, which is not a semver range such as "^1.0.0"`);
  }
  await prepareRanges([manifest.version, ...manifest.provides.map(({ version }) => version)]);
}

/** A plugin id, or `PLUGIN_MANIFEST`. `where` says whose word it is. */
export function pluginId(value: unknown, where: string): string {
  if (typeof value === "string" && value.length <= 64 && idPattern.test(value) && !reservedIds.has(value)) return value;
  throw manifestError(
    `${where}: the plugin id is ${show(value)}; it must be lower kebab case, such as "weather" or "my-plugin", at most 64 characters.`,
  );
}

type Fail = (field: string, message: string) => never;

function failFor(id: string): Fail {
  return (field, message) => {
    throw manifestError(`Plugin "${id}": ${field} ${message}.`, { plugin: id, field });
  };
}

function refuseTypos(raw: Raw, fail: Fail): void {
  for (const key of Object.keys(raw)) {
    if (knownKeys.includes(key)) continue;
    const meant = nearest(key, knownKeys);
    if (meant !== null && raw[meant] === undefined)
      fail(key, `is not a field of definePlugin; did you mean "${meant}"?`);
  }
}

function versionOf(value: unknown, fail: Fail): string {
  if (typeof value === "string" && validVersion(value)) return value;
  return fail("version", `is ${show(value)}; it must be a semver version such as "1.0.0"`);
}

function rangeText(value: unknown, field: string, fail: Fail): string {
  if (typeof value === "string" && value.trim() !== "" && value.length <= 256) return value.trim();
  return fail(field, `is ${show(value)}; it must be a semver range such as "^1.0.0"`);
}

function text(value: unknown, field: string, fail: Fail): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : fail(field, "must be a string");
}

function flag(value: unknown, field: string, absent: boolean, fail: Fail): boolean {
  if (value === undefined) return absent;
  return typeof value === "boolean" ? value : fail(field, "must be true or false");
}

function sectionOf(value: unknown, id: string, fail: Fail): string {
  const own = `plugins.entries.${id}.config`;
  if (value === undefined || value === own) return own;
  if (typeof value !== "string" || !sectionPattern.test(value))
    return fail("section", `is ${show(value)}; it must be a dotted path such as "weather"`);
  const segments = value.split(".");
  if (segments.some((segment) => unsafeKeys.has(segment))) fail("section", `${show(value)} is refused`);
  if (kernelSections.includes(segments[0] as string))
    fail("section", `"${value}" belongs to the host; take a name of your own`);
  return value;
}

function configSchema(value: unknown, fail: Fail): Raw {
  if (value === undefined) return { type: "object", properties: {} };
  if (!isObject(value) || value.type !== "object") return fail("config", "must be a Type.Object({ … }) or absent");
  if (JSON.stringify(value).length > maxSchemaBytes) fail("config", `is a schema of more than ${maxSchemaBytes} bytes`);
  return value;
}

function hotKeys(value: unknown, schema: Raw, fail: Fail): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((key) => typeof key === "string"))
    return fail("hot", "must be a list of config keys");
  for (const key of value as string[]) {
    if (key !== "*" && !schemaHas(schema, key.split("."))) fail("hot", `names "${key}", which config does not have`);
  }
  return value as string[];
}

/** Follows a dotted key through objects and records; what a union hides is taken on trust. */
function schemaHas(schema: unknown, [head, ...rest]: readonly string[]): boolean {
  if (head === undefined) return true;
  if (!isObject(schema)) return false;
  if (Array.isArray(schema.anyOf) || Array.isArray(schema.allOf)) return true;
  const properties = isObject(schema.properties) ? schema.properties : {};
  if (Object.hasOwn(properties, head)) return schemaHas(properties[head], rest);
  const open = isObject(schema.patternProperties)
    ? Object.values(schema.patternProperties)[0]
    : isObject(schema.additionalProperties)
      ? schema.additionalProperties
      : undefined;
  return open !== undefined && schemaHas(open, rest);
}

function needsOf(value: unknown, fail: Fail): readonly CatalogNeed[] {
  if (value === undefined) return [];
  if (!isObject(value)) return fail("needs", 'must be an object such as { store: need(store, "^1.0.0") }');
  return Object.entries(value).map(([key, entry]) => {
    if (!keyPattern.test(key) || unsafeKeys.has(key)) fail(`needs.${key}`, "must be a plain name");
    if (!isObject(entry) || typeof entry.service !== "string" || !servicePattern.test(entry.service)) {
      return fail(`needs.${key}`, "must be made by need(service, range)");
    }
    return {
      key,
      service: entry.service,
      range: rangeText(entry.range, `needs.${key}`, fail),
      optional: entry.optional === true,
    };
  });
}

function providesOf(value: unknown, fail: Fail): CatalogEntry["provides"] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return fail("provides", "must be a list of services");
  const list = value.map((entry: unknown) => {
    if (!isObject(entry) || typeof entry.id !== "string" || !servicePattern.test(entry.id))
      return fail("provides", "must hold what defineService(id, version) returned");
    return {
      id: entry.id,
      version: versionOf(entry.version, (_, message) => fail(`provides ${String(entry.id)}: its version`, message)),
    };
  });
  const twice = list.find(({ id }, index) => list.findIndex((other) => other.id === id) !== index);
  if (twice) fail("provides", `names "${twice.id}" twice`);
  return list;
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? typeof value).slice(0, 100);
}
