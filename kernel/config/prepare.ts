/**
 * From edits to a snapshot that may be written: on the text as it is on disk, with kept secrets put back, and refused as a
 * whole when it brings in an error or touches one. Errors that stand elsewhere in the file do not block. Loaded with the
 * first change.
 */
import { type ConfigEdit, type ConfigProblem, isObject } from "@chela/sdk";
import { documentOf, type FileState } from "./disk.ts";
import { type ConfigDocument, parseDocument } from "./document.ts";
import { rewrite } from "./edit.ts";
import { type Draft, isHalved } from "./guard.ts";
import { checked, errorsOf, isKernelPath } from "./judge.ts";
import { keepRedacted } from "./keep.ts";
import { formatPath, getAt, parsePath, setAt } from "./paths.ts";
import type { ConfigHost } from "./service.ts";
import { invalidConfig, isAtOrBelow, type Snapshot } from "./snapshot.ts";
import { type PlainObject, plainCopy } from "./values.ts";

export interface Prepared extends Draft {
  readonly next: Snapshot;
}

/** Throws `CONFIG_INVALID` with `details.errors`. */
export async function prepareEdits(
  host: ConfigHost,
  current: FileState,
  edits: readonly ConfigEdit[],
): Promise<Prepared> {
  const document = documentOf(current, host.file.path);
  const paths = edits.map(({ path }) => parsePath(path));
  const changed = rewrite(document, edited(document, edits, host.snapshot()));
  const same = changed.text === document.text;
  const next = await accepted(host, same ? document : changed, { before: document, touched: paths.map(formatPath) });
  return {
    text: same ? current.text : changed.text,
    named: paths.map(([key]) => key as string),
    removed: isHalved(document.text, changed.text) ? removedBy(host, document, edits) : 0,
    raw: next.raw,
    next,
  };
}

/** Who puts one value in the place of another means to lose the old one; an object may hold more than its writer knew of. */
function removedBy(host: ConfigHost, document: ConfigDocument, edits: readonly ConfigEdit[]): number {
  const removals = edits.filter(({ value }) => !isObject(value)).map(({ path }) => ({ path, value: undefined }));
  const shorter = rewrite(document, edited(document, removals, host.snapshot()));
  return Buffer.byteLength(document.text) - Buffer.byteLength(shorter.text);
}

function edited(document: ConfigDocument, edits: readonly ConfigEdit[], { merged }: Snapshot): PlainObject {
  const target = structuredClone(document.raw);
  for (const { path: text, value } of edits) {
    const path = parsePath(text);
    const where = formatPath(path);
    const kept = { path: where, stored: getAt(document.raw, path), live: getAt(merged, path) };
    const restored = value === undefined ? undefined : keepRedacted(plainCopy(value, where), kept);
    if (value === undefined || restored !== undefined) setAt(target, path, restored);
  }
  return target;
}

/** A version that was kept: every error counts, unless `force`; marks in it stand for what the last good file has there. */
export async function prepareBackup(host: ConfigHost, text: string, force: boolean): Promise<Prepared> {
  const document = parseDocument(text, host.file.path);
  const { raw, merged } = host.snapshot();
  const kept = keepRedacted(document.raw, { path: "", stored: raw, live: merged }) as PlainObject;
  const whole = rewrite(document, kept);
  const next = await checked(host, whole);
  refuse(errorsOf(next).filter(({ path }) => !force || isKernelPath(path)));
  return { text: whole.text, named: "all", next };
}

async function accepted(host: ConfigHost, document: ConfigDocument, change: Change): Promise<Snapshot> {
  const next = await checked(host, document);
  refuse(await newErrors(host, next, change));
  return next;
}

export interface Change {
  /** What is on disk; absent: it does not parse. */
  readonly before: ConfigDocument | undefined;
  readonly touched: readonly string[];
}

/** Errors of `next` but for those that stand in the file already, where the change does not touch them. */
export async function newErrors(host: ConfigHost, next: Snapshot, change: Change): Promise<readonly ConfigProblem[]> {
  const errors = errorsOf(next);
  if (errors.length === 0 || !change.before) return errors;
  const current = host.snapshot();
  const before = current.hash === change.before.hash ? current : await checked(host, change.before);
  const known = new Set(errorsOf(before).map(({ path, message }) => `${path} ${message}`));
  return errors.filter(
    ({ path, message }) =>
      isKernelPath(path) || !known.has(`${path} ${message}`) || change.touched.some((top) => touches(path, top)),
  );
}

function refuse(errors: readonly ConfigProblem[]): void {
  // Two owners of nested sections may say the same of one key.
  const told = new Map(errors.map((error) => [`${error.path} ${error.message}`, error]));
  if (told.size > 0) throw invalidConfig([...told.values()]);
}

function touches(path: string, edited: string): boolean {
  return isAtOrBelow(path, edited) || isAtOrBelow(edited, path);
}
