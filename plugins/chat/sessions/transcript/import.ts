/**
 * Reads transcripts into sessions. A message that is there already is not stored again, so an import that was cut short
 * is simply repeated; a line that cannot be read is told of by its number and harms no other.
 */
import { createHash } from "node:crypto";
import { type Pace, Pacer, type StoredMessage } from "@chela/sdk";
import type { SessionTable } from "../session-table.ts";
import type { DatedMessage } from "../tables.ts";
import { decodeLine } from "./decode.ts";
import { linesOf } from "./lines.ts";

const batchMessages = 100;
const batchChars = 500_000;
const historyPage = { messages: 200, chars: 500_000 };
/** Lines that are named in the report; the others are counted. */
const maxNamed = 50;
const progressEvery = 1_000;

/** The transcripts of one session, in order. */
export interface Source {
  readonly key: string;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  }[];
}

export interface BrokenLine {
  readonly file: string;
  readonly line: number;
  readonly error: string;
}

export interface ImportReport {
  readonly key: string;
  /** Stored, or with a dry run what would be. */
  readonly imported: number;
  /** There already. */
  readonly duplicates: number;
  /** Lines that are no messages: headers, changes of settings. */
  readonly other: number;
  readonly broken: number;
  /** The first of the broken ones. */
  readonly problems: readonly BrokenLine[];
}

export interface ImportOptions {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Lines that were read so far; 0 when its turn has come. */
  readonly onProgress?: (lines: number) => void;
}

type Counts = { -readonly [K in keyof Omit<ImportReport, "key" | "problems">]: ImportReport[K] };

export async function importSession(
  table: SessionTable,
  source: Source,
  options: ImportOptions,
): Promise<ImportReport> {
  const counts: Counts = { imported: 0, duplicates: 0, other: 0, broken: 0 };
  const problems: BrokenLine[] = [];
  const pace = new Pacer().pace(options.signal);
  const known = await knownMessages(table, source.key, pace);
  let waiting: DatedMessage[] = [];
  let chars = 0;
  let title: string | undefined;
  let lines = 0;
  const flush = async () => {
    if (waiting.length > 0 && !options.dryRun) await table.append(source.key, waiting);
    waiting = [];
    chars = 0;
  };
  for (const file of source.files) {
    known.nextFile();
    for await (const line of linesOf(file.bytes())) {
      options.signal.throwIfAborted();
      if (pace.due()) await pace.rest();
      lines += 1;
      if (lines % progressEvery === 0) options.onProgress?.(lines);
      const found = "text" in line ? decodeLine(line.text) : line;
      if ("problem" in found) {
        counts.broken += 1;
        if (problems.length < maxNamed) problems.push({ file: file.name, line: line.number, error: found.problem });
      } else if ("other" in found) {
        counts.other += 1;
        title = found.title ?? title;
      } else if (known.take(found.message)) {
        counts.duplicates += 1;
      } else {
        counts.imported += 1;
        waiting.push(found.message);
        chars += "text" in line ? line.text.length : 0;
        if (waiting.length >= batchMessages || chars >= batchChars) await flush();
      }
    }
  }
  await flush();
  options.onProgress?.(lines);
  if (title !== undefined && counts.imported > 0 && !options.dryRun) await titleIfNone(table, source.key, title);
  return { key: source.key, ...counts, problems };
}

/** What a session holds, as numbers that stand for messages; each one there accounts for one in the transcript. */
class Known {
  readonly #counts = new Map<number, number>();
  /** Dated messages of the files before this one: parts of a transcript may overlap. */
  readonly #before = new Set<number>();
  readonly #here = new Set<number>();

  add(message: DatedMessage): void {
    for (const number of numbersOf(message)) this.#counts.set(number, (this.#counts.get(number) ?? 0) + 1);
  }

  /** True when it was there; then it is used up. Where the line tells no time, what was said decides alone. */
  take(message: DatedMessage): boolean {
    const [dated, undated] = numbersOf(message);
    const number = message.at === undefined ? undated : dated;
    const left = this.#counts.get(number) ?? 0;
    if (message.at !== undefined) this.#here.add(dated);
    if (left === 0) return message.at !== undefined && this.#before.has(dated);
    for (const each of message.at === undefined ? [undated] : [dated, undated]) {
      this.#counts.set(each, (this.#counts.get(each) ?? 0) - 1);
    }
    return true;
  }

  nextFile(): void {
    for (const number of this.#here) this.#before.add(number);
    this.#here.clear();
  }
}

async function knownMessages(table: SessionTable, key: string, pace: Pace): Promise<Known> {
  const known = new Known();
  for (let after = 0; ; ) {
    const page: readonly StoredMessage[] = await table.page(key, after, historyPage);
    for (const message of page) {
      if (pace.due()) await pace.rest();
      known.add(message);
    }
    const last = page.at(-1);
    if (!last) return known;
    after = last.seq;
  }
}

function numbersOf({ role, content, toolCalls, toolCallId, at }: DatedMessage): readonly [number, number] {
  const said = JSON.stringify([role, content, toolCalls ?? [], toolCallId ?? null]);
  return [numberOf(`${at} ${said}`), numberOf(said)];
}

/** 52 bits of a digest: a million messages share one by a chance of one in ten thousand. */
function numberOf(text: string): number {
  const digest = createHash("sha1").update(text).digest();
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] as number) & 15);
}

async function titleIfNone(table: SessionTable, key: string, title: string): Promise<void> {
  if ((await table.info(key))?.title === "") await table.title(key, title);
}
