/** Earlier versions of the file, for people: the list with who wrote them and why, one as text, one against the file of now. */
import { readFileSync } from "node:fs";
import { type Backup, isObject, type WriteNote } from "@chela/sdk";
import { codeOf } from "../disk/files.ts";
import { diffVersions } from "./diff.ts";
import type { ConfigFile } from "./file.ts";
import type { JournalEntry } from "./journal.ts";
import { redactText } from "./redact-text.ts";
import type { Snapshot } from "./snapshot.ts";

/** Newest first. */
export function versions(file: ConfigFile): readonly Backup[] {
  const entries = readJournal(file.journal);
  return file.backups.list().map((backup) => withNotes(backup, entries));
}

/** Throws `CONFIG_BACKUP` 404. */
export function version(file: ConfigFile, id: string, known: Snapshot): Backup & { readonly text: string } {
  const text = file.backups.read(id);
  const row = versions(file).find((backup) => backup.id === id) as Backup;
  return { ...row, text: redactText(text, known) };
}

export async function diffWith(file: ConfigFile, id: string | undefined, known: Snapshot): Promise<string> {
  const from = id ?? file.backups.list()[0]?.id;
  if (from === undefined) return "";
  const older = { name: `backup ${from}`, text: file.backups.read(from) };
  return diffVersions(older, { name: "config.json", text: file.refresh().text ?? "" }, known);
}

/** A version may have come and gone several times: the write nearest in time took its place, the last one before made it. */
function withNotes(backup: Backup, entries: readonly JournalEntry[]): Backup {
  const distance = ({ at }: JournalEntry) => Math.abs(at - backup.at);
  const writes = entries.filter(({ before }) => before === backup.hash).sort((a, b) => distance(a) - distance(b));
  const [replaced] = writes;
  const earlier = replaced ? entries.slice(0, entries.indexOf(replaced)) : entries;
  const made = earlier.findLast(({ after }) => after === backup.hash);
  return { ...backup, ...(made && { made: noteOf(made) }), ...(replaced && { replaced: noteOf(replaced) }) };
}

function noteOf({ at, who, why }: JournalEntry): WriteNote {
  return { at, who, why };
}

function readJournal(file: string): JournalEntry[] {
  return linesOf(file).flatMap((line) => {
    const entry = entryOf(line);
    return entry ? [entry] : [];
  });
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** A line that a kill has cut is none. */
function entryOf(line: string): JournalEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isObject(entry) && typeof entry.at === "number" ? (entry as unknown as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}
