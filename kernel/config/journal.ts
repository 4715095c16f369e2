/** One line per change of the config file: when, who, why, from which version to which. Bounded; holds no value. */
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { writeFileAtomic } from "../disk/files.ts";

export interface JournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly why: string;
  /** Hash of the file before and after. */
  readonly before: string;
  readonly after: string;
}

const maxBytes = 256 * 1024;
const maxText = 200;

/** When the file is full its older half goes. */
export async function appendJournal(file: string, entry: JournalEntry): Promise<void> {
  const line = { ...entry, who: entry.who.slice(0, maxText), why: entry.why.slice(0, maxText) };
  appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  if (statSync(file).size <= maxBytes) return;
  const lines = readFileSync(file, "utf8").split("\n");
  await writeFileAtomic(file, lines.slice(Math.floor(lines.length / 2)).join("\n"));
}
