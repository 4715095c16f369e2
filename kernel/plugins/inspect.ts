/**
 * Reads the definition of a plugin that is not trusted to run here: a child process imports it, says what it exports and
 * ends. Whatever the import does, crash, hang or exit, it does to the child.
 */

import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { isObject } from "@chela/sdk";
import { childEnv } from "../process/child.ts";
import { runChild } from "../process/run-child.ts";
import { type CatalogEntry, manifestError } from "./entry.ts";
import { manifestFrom } from "./kept-manifest.ts";

export interface Inspected {
  readonly manifest: CatalogEntry;
  /** As it was read, to be kept. */
  readonly definition: Readonly<Record<string, unknown>>;
}

const defaultTimeoutMs = 10_000;
const maxBytes = 1024 * 1024;

/** Plain JavaScript, so that it runs the same from the sources, from a bundle and in a test. Answers on descriptor 3. */
const script = `
import { writeSync } from "node:fs";
const { exit } = process;
const say = (answer) => {
  const bytes = Buffer.from(JSON.stringify(answer));
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(3, bytes, sent);
  exit(0);
};
try {
  const { default: plugin } = await import(process.argv[1]);
  if (typeof plugin !== "object" || plugin === null) say({ error: "it has no default export; write: export default definePlugin({ … })" });
  say({ definition: { ...plugin, setup: typeof plugin.setup } });
} catch (error) {
  say({ error: "its import fails: " + String(error instanceof Error ? error.message : error).slice(0, 1000) });
}
`;

/** The definition of the plugin whose (loadable) entry is `file`. Throws `PLUGIN_MANIFEST` with the reason. */
export async function inspectEntry(id: string, file: string, timeoutMs = defaultTimeoutMs): Promise<Inspected> {
  const definition = await runInChild(id, file, timeoutMs);
  return { manifest: await manifestFrom(definition), definition };
}

async function runInChild(id: string, file: string, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(file).href;
  const child = await runChild([process.execPath, "--input-type=module", "--no-warnings", "-e", script, url], {
    cwd: tmpdir(),
    env: childEnv(),
    timeoutMs,
    maxBytes,
    channel: true,
  });
  const fail = (why: string): never => {
    throw manifestError(`Plugin "${id}" cannot be read: ${why}`, { plugin: id, said: child.stderr.slice(-2000) });
  };
  if (child.ended === "timeout")
    fail(`its import does not end within ${timeoutMs / 1000} s. Importing a plugin must have no side effects.`);
  if (child.ended !== "") fail("its import writes without end.");
  const answer = parse(child.channel);
  if (typeof answer?.error === "string") fail(forAuthors(answer.error));
  if (!isObject(answer?.definition)) return fail(`its import ends the process (exit code ${child.code}).`);
  return answer.definition;
}

/** Node names the file in a folder that is gone by the time anybody looks. */
function forAuthors(error: string): string {
  const name = /Cannot find package '([^']+)'/.exec(error)?.[1];
  if (name === undefined) return error;
  return `it imports "${name}", which is not installed with it; name it in the dependencies of its package.json.`;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
