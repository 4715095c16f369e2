/**
 * The whole file as an editor has it: shown with its secrets masked, judged while it is typed, written in place of what is
 * there. Also a file that does not parse is shown and can be replaced. Each step of megabytes takes a while: whoever waits
 * gets a turn in between. Loaded when the first editor opens.
 */
import { setImmediate as othersFirst } from "node:timers/promises";
import {
  type ConfigDraft,
  type ConfigProblem,
  type ConfigText,
  GatewayError,
  type LocatedProblem,
  messageOf,
  type PlannedChange,
  redactedMark,
} from "@chela/sdk";
import { planChanges } from "./classify.ts";
import { patchOf, secretNotes } from "./diff.ts";
import { documentOf, type FileState } from "./disk.ts";
import { type ConfigDocument, missingDocument, parseDocument, tokensOf } from "./document.ts";
import { rewrite } from "./edit.ts";
import { assertNothingLost } from "./guard.ts";
import { checked, isKernelPath } from "./judge.ts";
import { keepRedacted } from "./keep.ts";
import { located, locator, refusalOf } from "./located.ts";
import { newErrors, type Prepared } from "./prepare.ts";
import { maskText, redactText } from "./redact-text.ts";
import type { ConfigHost } from "./service.ts";
import { invalidConfig, type Snapshot } from "./snapshot.ts";
import { unmask } from "./unmask.ts";
import type { PlainObject } from "./values.ts";

const placed = new RegExp(`${redactedMark}@\\d{1,8}`, "g");
const byteOrderMark = "\uFEFF";

export async function shownText(host: ConfigHost): Promise<ConfigText> {
  const { file } = host;
  const state = file.refresh();
  const text = maskText(state.text ?? missingDocument.text, host.snapshot());
  return { text, hash: state.hash, path: file.path, problems: await problemsOf(host, state) };
}

async function problemsOf(host: ConfigHost, state: FileState): Promise<readonly LocatedProblem[]> {
  try {
    const document = documentOf(state, host.file.path);
    const known = host.snapshot();
    const { problems } = known.hash === state.hash ? known : await checked(host, document);
    return located(problems, document);
  } catch (error) {
    return [refusalOf(error)];
  }
}

/** Without the marks that name a place, as one could be moved to where a refusal spells out what it covers. */
export async function planText(host: ConfigHost, text: string): Promise<readonly PlannedChange[]> {
  const { next } = await prepareWhole(host, host.file.refresh(), text.replaceAll(placed, redactedMark), false);
  return planChanges(host.snapshot(), next, host.sections());
}

/** What writing this text would do, or why it would be refused. Cheap enough for every pause in typing. */
export async function judgeText(host: ConfigHost, text: string): Promise<ConfigDraft> {
  const current = host.file.refresh();
  const known = host.snapshot();
  const { hash } = current;
  let whole: Whole;
  try {
    whole = await wholeOf(host, current, text);
  } catch (error) {
    return { ok: false, hash, problems: [refusalOf(error)], changes: [], diff: "", guard: null };
  }
  const changes = planChanges(known, whole.next, host.sections());
  await othersFirst();
  return {
    ok: whole.marks.length === 0 && whole.errors.length === 0,
    hash,
    problems: whole.problems,
    changes,
    diff: await diffOf(current.text ?? missingDocument.text, whole, known),
    guard: guardOf(current, draftOf(whole), host.file.path),
  };
}

/** Of the text as it was given: what its marks cover is looked at for no line of it. */
async function diffOf(text: string, { before, given, next }: Whole, known: Snapshot): Promise<string> {
  const secrets = secretNotes(before?.raw, next.raw, known.schema);
  await othersFirst();
  const from = { name: "config.json", text: redactText(text, known, before) };
  await othersFirst();
  const shown = redactText(given.text, known, given).replaceAll(placed, redactedMark);
  await othersFirst();
  return secrets + (await patchOf(from, { name: "edited", text: shown }));
}

/** Throws what is wrong with it as `details.problems`, with the lines of the given text. */
export async function prepareWhole(
  host: ConfigHost,
  current: FileState,
  text: string,
  force: boolean,
): Promise<Prepared> {
  const whole = await wholeOf(host, current, text).catch((error: unknown) => {
    throw told(error, [refusalOf(error)]);
  });
  const errors = force ? whole.errors.filter(({ path }) => isKernelPath(path)) : whole.errors;
  const blocking = [...whole.marks, ...errors];
  if (blocking.length > 0) throw told(invalidConfig(blocking), whole.problems);
  return draftOf(whole);
}

interface Whole {
  /** What is on disk; undefined when it does not parse. */
  readonly before: ConfigDocument | undefined;
  readonly given: ConfigDocument;
  /** As it would be on disk. */
  readonly text: string;
  readonly next: Snapshot;
  readonly problems: readonly LocatedProblem[];
  /** Those of marks that stand for nothing: no force helps. */
  readonly marks: readonly LocatedProblem[];
  /** Errors that the text brings in. */
  readonly errors: readonly ConfigProblem[];
}

async function wholeOf(host: ConfigHost, current: FileState, text: string): Promise<Whole> {
  const { path } = host.file;
  const known = host.snapshot();
  const given = parseDocument(marked(text, current), path);
  await othersFirst();
  const before = parsed(current, path);
  await othersFirst();
  const placeOf = locator(given.body);
  const restored = unmask(given, current.text ?? "", known);
  const document = restored.text === given.text ? given : parseDocument(restored.text, path);
  const refused: ConfigProblem[] = [];
  const kept = { path: "", stored: before?.raw ?? known.raw, live: known.merged };
  const target = keepRedacted(document.raw, kept, (problem) => refused.push(problem)) as PlainObject;
  const whole = rewrite(document, target);
  await othersFirst();
  const next = await checked(host, whole);
  await othersFirst();
  if (refused.length === 0 && restored.lost.length === 0) refused.push(...strayMarks(whole));
  const lost = restored.lost.map(({ at, message }): LocatedProblem => {
    return { path: "", message, level: "error", ...placeOf(at) };
  });
  const marks = [...lost, ...elsewhere(located(refused, given), lost)];
  return {
    before,
    given,
    text: whole.text,
    next,
    marks,
    problems: [...marks, ...elsewhere(located(next.problems, given), marks)],
    errors: await newErrors(host, next, { before, touched: [] }),
  };
}

/** An editor shows no byte order mark and sends none back: it stays where it was. */
function marked(text: string, current: FileState): string {
  const isLost = current.text?.startsWith(byteOrderMark) === true && !text.startsWith(byteOrderMark);
  return isLost ? byteOrderMark + text : text;
}

/** What is wrong with a mark is said once. */
function elsewhere(problems: readonly LocatedProblem[], told: readonly LocatedProblem[]): readonly LocatedProblem[] {
  const places = new Set(told.map(({ line, column }) => `${line}:${column}`));
  return problems.filter(({ line, column }) => !places.has(`${line}:${column}`));
}

/** Of a key written twice the last one counts; what another one had nobody can tell. */
function strayMarks({ body, duplicates }: ConfigDocument): ConfigProblem[] {
  const isStray = tokensOf(body).some(({ kind, text }) => kind === "value" && text === redactedMark);
  const message = `is written twice, with ${redactedMark} in it; delete the one that does not count`;
  return isStray ? duplicates.map((path) => ({ path, message, level: "error" })) : [];
}

function parsed(state: FileState, path: string): ConfigDocument | undefined {
  try {
    return documentOf(state, path);
  } catch {
    return undefined;
  }
}

/** Who gives the whole text names no key that may go; of a file that does not parse nobody knows what it holds. */
function draftOf({ before, text, next }: Whole): Prepared {
  return { text, named: before ? [] : "all", raw: next.raw, next };
}

function guardOf(current: FileState, draft: Prepared, path: string): string | null {
  try {
    assertNothingLost(current, draft, path);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function told(error: unknown, problems: readonly LocatedProblem[]): unknown {
  if (!GatewayError.is(error)) return error;
  const { code, status, message, details } = error;
  return new GatewayError(code, status, message, { ...details, problems }, { cause: error });
}
