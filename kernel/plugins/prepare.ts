/**
 * From the files of a plugin to something that can run: refused if this host must not have it, its dependencies installed,
 * its TypeScript compiled, its definition read in a child process. Works in place and imports nothing here.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GatewayError, isObject } from "@chela/sdk";
import { resolveInside } from "../disk/files.ts";
import { compileEntry } from "./compile.ts";
import { assertSame, manifestError } from "./entry.ts";
import { type Inspected, inspectEntry } from "./inspect.ts";
import { installDependencies, type NpmOptions } from "./npm.ts";
import { hostProblem, isTypeScript, loadableEntry, type PackageFacts, readPackage } from "./package-file.ts";
import { dropOwnSdk } from "./sdk-link.ts";

export interface Host {
  readonly hostVersion: string;
  readonly builtins: readonly { readonly id: string }[];
}

/** Reads package.json and refuses what shadows a built-in or was made for another host. No code of the plugin has run. */
export async function admit(packageJson: string, host: Host): Promise<PackageFacts> {
  refuseShadow(packageJson, host.builtins);
  const facts = readPackage(packageJson);
  const problem = await hostProblem(facts, host.hostVersion);
  if (problem !== "") throw incompatible(facts, problem);
  return facts;
}

/** The definition of a staged plugin, checked against its package.json. The SDK is linked above `root`. */
export async function complete(
  root: string,
  facts: PackageFacts,
  options: Host & NpmOptions & { readonly work: string },
): Promise<Inspected> {
  await assertEntry(root, facts);
  const missing = Object.entries(facts.dependencies).filter(([name]) => !facts.bundled.includes(name));
  if (missing.length > 0)
    await installDependencies(Object.fromEntries(missing), root, join(options.work, "npm"), options);
  dropOwnSdk(root);
  const loadable = join(root, loadableEntry(facts.entry));
  if (isTypeScript(facts.entry)) await compileEntry({ root, entry: facts.entry, outfile: loadable });
  const read = await inspectEntry(facts.id, loadable);
  assertSame(facts, read.manifest);
  const problem = await hostProblem(read.manifest, options.hostVersion);
  if (problem !== "") throw incompatible(facts, problem);
  return read;
}

/** Throws when the entry that package.json names is not a file of the plugin. */
export async function assertEntry(root: string, { id, entry }: PackageFacts): Promise<void> {
  const file = await resolveInside(root, entry);
  if (!existsSync(file))
    throw manifestError(`Plugin "${id}": package.json names the entry "${entry}", which is not there.`, { plugin: id });
}

/** Built-in plugins win by id and by package name, in whatever case it is written. */
export function refuseShadow(packageJson: string, builtins: readonly { readonly id: string }[]): void {
  const shadowed = shadowedBuiltin(packageJson, builtins);
  if (shadowed === undefined) return;
  throw new GatewayError(
    "PLUGIN_SHADOWS",
    409,
    `This package would take the place of "${shadowed}", which is part of Chela. Give it another id and name.`,
    { plugin: shadowed },
  );
}

export function shadowedBuiltin(packageJson: string, builtins: readonly { readonly id: string }[]): string | undefined {
  const raw = looseParse(packageJson);
  const name = String(raw.name ?? "").toLowerCase();
  const chela = isObject(raw.chela) ? raw.chela : {};
  const id = String(chela.id ?? name.replace(/^@[^/]*\//, "")).toLowerCase();
  if (["chela", "@chela/sdk", "@chela/kernel"].includes(name)) return name;
  return builtins.find((builtin) => builtin.id === id || `@chela/plugin-${builtin.id}` === name)?.id;
}

function looseParse(json: string): Readonly<Record<string, unknown>> {
  try {
    const raw: unknown = JSON.parse(json);
    return isObject(raw) ? raw : {};
  } catch {
    return {};
  }
}

function incompatible(facts: PackageFacts, problem: string): GatewayError {
  return new GatewayError("PLUGIN_INCOMPATIBLE", 409, `Plugin "${facts.id}" ${facts.version} ${problem}`, {
    plugin: facts.id,
    host: facts.host,
  });
}
