/** The difference between two versions of the file, for people: unified, secrets redacted on both sides. */

import { redactedMark } from "@chela/sdk";
import { differences } from "./classify.ts";
import { formatPath, getAt } from "./paths.ts";
import { redact } from "./redact.ts";
import { parsed, redactText } from "./redact-text.ts";
import type { Schema } from "./schema-walk.ts";
import type { Snapshot } from "./snapshot.ts";
import type { PlainObject } from "./values.ts";

export interface Version {
  readonly name: string;
  readonly text: string;
}

/** What two texts may take to be compared: nearly all differ in few lines. */
const patienceMs = 300;

/** Empty when the texts are the same. A secret that differs is named, as its lines look the same. */
export async function diffVersions(from: Version, to: Version, known: Snapshot): Promise<string> {
  if (from.text === to.text) return "";
  const [before, after] = [parsed(from.text), parsed(to.text)];
  const older = { name: from.name, text: redactText(from.text, known, before) };
  const newer = { name: to.name, text: redactText(to.text, known, after) };
  return secretNotes(before?.raw, after?.raw, known.schema) + (await patchOf(older, newer));
}

/** Of texts that may be shown. */
export async function patchOf(from: Version, to: Version): Promise<string> {
  if (from.text === to.text) return "";
  const { createTwoFilesPatch } = await import("diff");
  const limits = { timeout: patienceMs };
  const patch = createTwoFilesPatch(from.name, to.name, from.text, to.text, undefined, undefined, limits);
  return patch ?? `# ${from.name} and ${to.name} differ in more than can be shown\n`;
}

/** A line for each secret that differs, of two versions that parse. */
export function secretNotes(before: PlainObject | undefined, after: PlainObject | undefined, schema: Schema): string {
  if (!before || !after) return "";
  const paths = differences(before, after);
  const touched = new Set(paths.map(([key]) => key));
  const shown = redact(Object.fromEntries(Object.entries(after).filter(([key]) => touched.has(key))), schema);
  const secrets = paths.filter((path) => holdsMark(getAt(shown, path)));
  return secrets.map((path) => `# secret changed: ${formatPath(path)}\n`).join("");
}

/** An array is one leaf. */
function holdsMark(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(redactedMark);
}
