/** The difference between two versions of the file, for people: unified, secrets redacted on both sides. */

import { redactedMark } from "@chela/sdk";
import { differences } from "./classify.ts";
import { parseDocument } from "./document.ts";
import { formatPath, getAt } from "./paths.ts";
import { redact, redactText } from "./redact.ts";
import type { Schema } from "./schema-walk.ts";
import type { PlainObject } from "./values.ts";

export interface Version {
  readonly name: string;
  readonly text: string;
}

/** Empty when the texts are the same. A secret that differs is named, as its lines look the same. */
export async function diffVersions(from: Version, to: Version, schema: Schema): Promise<string> {
  if (from.text === to.text) return "";
  const { createTwoFilesPatch } = await import("diff");
  const shown = [from, to].map(({ text }) => redactText(text, schema)) as [string, string];
  const patch = createTwoFilesPatch(from.name, to.name, ...shown);
  return (
    changedSecrets(from.text, to.text, schema)
      .map((path) => `# secret changed: ${path}\n`)
      .join("") + patch
  );
}

function changedSecrets(from: string, to: string, schema: Schema): string[] {
  const [before, after] = [valueOrEmpty(from), valueOrEmpty(to)];
  const shown = redact(after, schema);
  return differences(before, after)
    .filter((path) => holdsMark(getAt(shown, path)))
    .map(formatPath);
}

/** An array is one leaf. */
function holdsMark(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(redactedMark);
}

function valueOrEmpty(text: string): PlainObject {
  try {
    return parseDocument(text, "the file").raw;
  } catch {
    return {};
  }
}
