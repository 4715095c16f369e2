/** The difference between two versions of the file, for people: unified, secrets redacted on both sides. */

import { redactedMark } from "@chela/sdk";
import { differences } from "./classify.ts";
import { parseDocument } from "./document.ts";
import { formatPath, getAt } from "./paths.ts";
import { redact } from "./redact.ts";
import { redactText } from "./redact-text.ts";
import type { Schema } from "./schema-walk.ts";
import type { Snapshot } from "./snapshot.ts";
import type { PlainObject } from "./values.ts";

export interface Version {
  readonly name: string;
  readonly text: string;
}

/** What two texts may take to be compared: nearly all differ in few lines. */
const patienceMs = 1000;

/** Empty when the texts are the same. A secret that differs is named, as its lines look the same. */
export async function diffVersions(from: Version, to: Version, known: Snapshot): Promise<string> {
  if (from.text === to.text) return "";
  const secrets = changedSecrets(from.text, to.text, known.schema).map((path) => `# secret changed: ${path}\n`);
  const [older, newer] = [from, to].map(({ name, text }) => ({ name, text: redactText(text, known) }));
  return secrets.join("") + (await patchOf(older as Version, newer as Version));
}

/** Of texts that may be shown. */
export async function patchOf(from: Version, to: Version): Promise<string> {
  if (from.text === to.text) return "";
  const { createTwoFilesPatch } = await import("diff");
  const limits = { timeout: patienceMs };
  const patch = createTwoFilesPatch(from.name, to.name, from.text, to.text, undefined, undefined, limits);
  return patch ?? `# ${from.name} and ${to.name} differ in more than can be shown\n`;
}

/** Of two versions that parse. */
export function changedSecrets(from: string, to: string, schema: Schema): readonly string[] {
  const [before, after] = [rawOf(from), rawOf(to)];
  if (!before || !after) return [];
  const shown = redact(after, schema);
  return differences(before, after)
    .filter((path) => holdsMark(getAt(shown, path)))
    .map(formatPath);
}

/** An array is one leaf. */
function holdsMark(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(redactedMark);
}

function rawOf(text: string): PlainObject | undefined {
  try {
    return parseDocument(text, "the file").raw;
  } catch {
    return undefined;
  }
}
