/**
 * The package.json of a plugin: what must be known before any of its code runs. Reads only the fields it names, and
 * refuses names and paths that would lead out of the plugin's folder.
 */

import { join, posix } from "node:path";
import { isObject } from "@chela/sdk";
import { assertRelative, readIfThere } from "../disk/files.ts";
import { satisfies, validRange, validVersion } from "../versions.ts";
import { manifestError } from "./entry.ts";
import { pluginId } from "./manifest.ts";

export interface PackageFacts {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  /** Semver range of hosts. */
  readonly host: string;
  /** The file that default-exports the plugin, relative to the package, `/` between segments. */
  readonly entry: string;
  /** Runtime packages without our own SDK, which the host supplies. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Packages that came along in the plugin's own node_modules. */
  readonly bundled: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;

/** npm's rule, without a leading dash, so that a name is never taken for an option. */
const namePattern = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/;
const maxBytes = 1024 * 1024;
const rangeOrTag = /^[\w.~^<>=|*+ -]{0,128}$/;

/** True for what npm takes as a package name and what is one folder, or a scope and a folder, on disk. */
export function validPackageName(name: string): boolean {
  return name.length <= 214 && namePattern.test(name) && !name.includes("..") && name !== "node_modules";
}

/** Parses a plugin's package.json. Throws `PLUGIN_MANIFEST` with the field and what it must be. */
export function readPackage(json: string): PackageFacts {
  const raw = parse(json);
  const { name } = raw;
  if (typeof name !== "string" || !validPackageName(name)) {
    throw manifestError(`package.json: name ${JSON.stringify(name ?? null)} is not an npm package name.`);
  }
  const fail = (message: string): never => {
    throw manifestError(`package.json of "${name}": ${message}`, { package: name });
  };
  if (typeof raw.version !== "string" || !validVersion(raw.version))
    return fail('version must be a semver version such as "1.0.0".');
  const chela = isObject(raw.chela) ? raw.chela : {};
  const engines = isObject(raw.engines) ? raw.engines : {};
  const host = chela.host ?? engines.chela;
  if (typeof host !== "string" || host.trim() === "") {
    return fail('no host range. Add "chela": { "id": "my-plugin", "host": "^1.0.0" }.');
  }
  if (raw.type !== "module") fail('"type" must be "module".');
  return {
    name,
    id: pluginId(chela.id ?? name.replace(/^@[^/]+\//, ""), `package.json of "${name}"`),
    version: raw.version,
    host: host.trim(),
    entry: entryOf(raw, fail),
    dependencies: dependenciesOf(raw, fail),
    bundled: bundledOf(raw, fail),
  };
}

/** Empty when this host may run the plugin; else the sentence for lists. Throws when the range is none. */
export async function hostProblem(facts: Pick<PackageFacts, "id" | "host">, hostVersion: string): Promise<string> {
  if (!(await validRange(facts.host))) {
    throw manifestError(
      `Plugin "${facts.id}": the host range ${JSON.stringify(facts.host)} is not a semver range such as "^1.0.0".`,
    );
  }
  if (satisfies(hostVersion, facts.host)) return "";
  return `needs host ${facts.host}; this is Chela ${hostVersion}. Install a version of "${facts.id}" made for it, or update Chela.`;
}

function parse(json: string): Raw {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw manifestError(`package.json does not parse: ${(error as Error).message}`, {}, error);
  }
  if (!isObject(value)) throw manifestError("package.json must hold an object.");
  return value;
}

/** Text of the package.json in `folder`. */
export async function readPackageJson(folder: string): Promise<string> {
  const text = await readIfThere(join(folder, "package.json"), maxBytes);
  if (text !== undefined) return text;
  throw manifestError(`${folder} has no package.json, so it is not a plugin. "chela plugins new NAME" makes one.`);
}

/** True for an entry that must be compiled before Node can import it. */
export function isTypeScript(entry: string): boolean {
  return /\.m?ts$/.test(entry);
}

/** The file to import for an entry: itself, or what compiling makes of it, beside it. */
export function loadableEntry(entry: string): string {
  return isTypeScript(entry) ? entry.replace(/\.m?ts$/, ".chela.mjs") : entry;
}

type Fail = (message: string) => never;

function entryOf(raw: Raw, fail: Fail): string {
  const entry = raw.exports === undefined ? raw.main : pickExport(raw.exports);
  if (typeof entry !== "string") return fail('no entry. Add "exports": "./index.ts" (or "./index.js").');
  try {
    assertRelative(entry);
  } catch {
    return fail(`the entry ${JSON.stringify(entry)} must be a relative path inside the package.`);
  }
  const path = posix.normalize(entry);
  if (!/\.(?:ts|mts|js|mjs)$/.test(path) || /\.d\.m?ts$/.test(path)) {
    return fail(`the entry ${JSON.stringify(entry)} must be a .ts, .mts, .js or .mjs file.`);
  }
  if (path.split("/").includes("node_modules"))
    return fail(`the entry ${JSON.stringify(entry)} must not be in node_modules.`);
  return path;
}

/** What `import "name"` would take: the "." export, by the conditions of an ES module on Node. */
function pickExport(exports: unknown, depth = 0): unknown {
  if (typeof exports === "string" || depth > 4) return exports;
  if (Array.isArray(exports)) return pickExport(exports[0], depth + 1);
  if (!isObject(exports)) return undefined;
  for (const [condition, target] of Object.entries(exports)) {
    if ([".", "import", "node", "default"].includes(condition)) return pickExport(target, depth + 1);
  }
  return undefined;
}

function dependenciesOf(raw: Raw, fail: Fail): Record<string, string> {
  const { dependencies = {} } = raw;
  if (!isObject(dependencies)) return fail('"dependencies" must be an object.');
  const list: Record<string, string> = {};
  for (const [name, range] of Object.entries(dependencies)) {
    if (name === "@chela/sdk") continue;
    if (!validPackageName(name)) fail(`the dependency ${JSON.stringify(name)} is not an npm package name.`);
    if (typeof range !== "string" || !rangeOrTag.test(range)) {
      fail(`the dependency "${name}" must name a version range of the registry, not ${JSON.stringify(range)}.`);
    }
    list[name] = range as string;
  }
  if (Object.keys(list).length > 200) fail("more than 200 dependencies.");
  return list;
}

function bundledOf(raw: Raw, fail: Fail): readonly string[] {
  const value = raw.bundleDependencies ?? raw.bundledDependencies ?? [];
  const names =
    value === true ? Object.keys(isObject(raw.dependencies) ? raw.dependencies : {}) : value === false ? [] : value;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string" && validPackageName(name))) {
    return fail('"bundleDependencies" must be a list of package names.');
  }
  return names.filter((name) => name !== "@chela/sdk");
}
