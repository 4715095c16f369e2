/**
 * A snapshot: everything that one version of the file means, frozen. Reading is tolerant: an unknown key is kept and
 * warned about, a section that is not valid is `broken` and turns its plugin off; who writes is told of every problem.
 */

import { isDeepStrictEqual } from "node:util";
import { type ConfigProblem, GatewayError, messageOf } from "@chela/sdk";
import { type ConfigDocument, missingDocument, parseDocument } from "./document.ts";
import { expandReferences, type Override, overridesOf } from "./env.ts";
import type { Env } from "./locate.ts";
import { formatPath, getAt, parsePath, setAt } from "./paths.ts";
import { fillDefaults, isComplete, type Schema, unknownPaths } from "./schema-walk.ts";
import { composeSchema, isKernelOwner, type Section } from "./sections.ts";
import { surelyValid } from "./surely.ts";
import { deepFreeze, type PlainObject } from "./values.ts";

export interface Snapshot {
  /** SHA-256 of the bytes it was read from. */
  readonly hash: string;
  /** The file alone, references unresolved. */
  readonly raw: Readonly<PlainObject>;
  /** The whole config as it is in effect: file, references, overrides, defaults. */
  readonly merged: Readonly<PlainObject>;
  /** Owner → its section, frozen. A broken section is missing. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Owner → why its section cannot be used. */
  readonly broken: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
  /** Dotted path → the variable that decides it. */
  readonly overrides: ReadonlyMap<string, string>;
  readonly sections: readonly Section[];
  /** The sections' schemas in one. */
  readonly schema: Schema;
}

/**
 * What is wrong with a section's value; fills defaults in place. Paths are dotted and relative to the section. Asked only
 * about values that are not plainly in order.
 */
export type SectionValidator = (owner: string, schema: Schema, value: unknown) => ProblemRows | Promise<ProblemRows>;

type ProblemRows = readonly { readonly path: string; readonly message: string }[];

export interface Resolving {
  readonly sections: readonly Section[];
  readonly env: Env;
  readonly validate: SectionValidator;
  /** Sections that are the same as in this snapshot are taken over from it: same object, not validated again. */
  readonly previous?: Snapshot | undefined;
}

const knownConfigVersion = 1;
const maxProblems = 200;

/** `text` null: there is no file. Throws what `parseDocument` throws; `file` is for its sentence. */
export async function resolveText(text: string | null, file: string, resolving: Resolving): Promise<Snapshot> {
  return resolveConfig(text === null ? missingDocument : parseDocument(text, file), resolving);
}

export async function resolveConfig(
  document: Pick<ConfigDocument, "raw" | "hash" | "duplicates">,
  resolving: Resolving,
): Promise<Snapshot> {
  const { sections, env } = resolving;
  const schema = composeSchema(sections);
  const { value: given, missing } = expandReferences(document.raw, schema, env);
  const overrides = overridesOf(env, schema, given).filter((override) => putOverride(given, override));
  const absent = new Set(sections.filter(({ path }) => getAt(given, parsePath(path)) === undefined));
  const merged = fillDefaults(schema, given) as PlainObject;
  const checked = await checkSections({ absent, merged, overrides }, resolving);
  const problems = [
    ...checked.problems,
    ...missing.map(({ path, name }) =>
      warning(formatPath(path), `refers to ${name}, which is not set; it counts as absent`),
    ),
    ...unknownPaths([schema], document.raw).map((path) => warning(formatPath(path), "is not a known key; it is kept")),
    ...document.duplicates.map((path) => warning(path, "is written twice; the last one counts")),
    ...versionProblems(document.raw),
  ];
  return {
    hash: document.hash,
    raw: deepFreeze(document.raw),
    merged: deepFreeze(merged),
    values: checked.values,
    broken: checked.broken,
    problems: problems.slice(0, maxProblems),
    overrides: new Map(overrides.map(({ path, name }) => [formatPath(path), name])),
    sections,
    schema,
  };
}

/** Throws `CONFIG_INVALID` when the kernel's own sections cannot be used: nothing could start. */
export function assertKernelSections(snapshot: Snapshot): void {
  const errors = snapshot.problems.filter((row) => row.level === "error");
  const blocked = snapshot.sections.filter(({ owner }) => isKernelOwner(owner) && snapshot.broken.has(owner));
  if (blocked.length === 0) return;
  throw invalidConfig(errors.filter((row) => blocked.some(({ path }) => isAtOrBelow(row.path, path))));
}

/** The refusal of ClawGo's shape: `invalid config: a; b` and the sentences in `details.errors`. */
export function invalidConfig(problems: readonly ConfigProblem[]): GatewayError {
  const errors = problems.map(({ path, message }) => `${path} ${message}`);
  return new GatewayError("CONFIG_INVALID", 400, `invalid config: ${errors.join("; ")}`, { errors });
}

/** The snapshot with further problems, of checks that need more than the schemas. */
export function withProblems(snapshot: Snapshot, more: readonly ConfigProblem[]): Snapshot {
  if (more.length === 0) return snapshot;
  return { ...snapshot, problems: [...snapshot.problems, ...more].slice(0, maxProblems) };
}

interface Values {
  /** Sections of which the file and the environment say nothing. */
  readonly absent: ReadonlySet<Section>;
  readonly merged: PlainObject;
  readonly overrides: readonly Override[];
}

async function checkSections(values: Values, resolving: Resolving) {
  const problems: ConfigProblem[] = [];
  const broken = new Map<string, string>();
  const byOwner = new Map<string, unknown>();
  for (const section of resolving.sections) {
    const rows = await checkSection(section, values, resolving);
    problems.push(...rows);
    if (rows.length > 0) broken.set(section.owner, rows.map((row) => `${row.path} ${row.message}`).join("; "));
    else byOwner.set(section.owner, getAt(values.merged, parsePath(section.path)));
  }
  return { problems, broken, values: byOwner };
}

/** Defaults alone need no check, and what is plainly in order no validator: a start with such a config loads no ajv. */
async function checkSection(section: Section, values: Values, resolving: Resolving): Promise<ConfigProblem[]> {
  const path = parsePath(section.path);
  const value = getAt(values.merged, path);
  if (takeOver(section, value, values.merged, resolving.previous)) return [];
  if (values.absent.has(section) && (value === undefined || isComplete(section.schema, value))) return [];
  if (surelyValid(section.schema, value)) return [];
  const rows = await validated(section, value, resolving.validate);
  return rows.map((row) => {
    const at = row.path === "" ? section.path : `${section.path}.${row.path}`;
    const cause = values.overrides.find((override) => formatPath(override.path) === at);
    return problem(at, cause ? `${row.message} (set by ${cause.name})` : row.message);
  });
}

async function validated(section: Section, value: unknown, validate: SectionValidator): Promise<ProblemRows> {
  try {
    return await validate(section.owner, section.schema, value);
  } catch (error) {
    const reason = messageOf(error);
    return [
      {
        path: "",
        message: `must have a schema that can be used; "${section.owner}" declares one that cannot: ${reason}`,
      },
    ];
  }
}

function takeOver(section: Section, value: unknown, merged: PlainObject, previous: Snapshot | undefined): boolean {
  if (!previous?.values.has(section.owner)) return false;
  const before = previous.sections.find(({ owner }) => owner === section.owner);
  const known = previous.values.get(section.owner);
  if (before?.schema !== section.schema || before.path !== section.path || !isDeepStrictEqual(known, value))
    return false;
  const path = parsePath(section.path);
  if (getAt(merged, path) !== known) setAt(merged, path, known);
  return true;
}

/** False where the file holds a scalar on the way: validation will say so. */
function putOverride(given: PlainObject, { path, value }: Override): boolean {
  try {
    setAt(given, path, value);
    return true;
  } catch {
    return false;
  }
}

function versionProblems(raw: PlainObject): ConfigProblem[] {
  const version = raw.configVersion;
  if (version === undefined || (typeof version === "number" && version <= knownConfigVersion)) return [];
  return [
    warning(
      "configVersion",
      `is newer than ${knownConfigVersion}, the newest this version knows; read as well as it can be`,
    ),
  ];
}

function problem(path: string, message: string): ConfigProblem {
  return { path, message, level: "error" };
}

function warning(path: string, message: string): ConfigProblem {
  return { path, message, level: "warning" };
}

/** Of dotted texts, as problems have them. */
export function isAtOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`);
}
