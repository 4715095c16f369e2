/**
 * The `config` service of the SDK over a host that can apply snapshots. One write is: in the host's queue and under the
 * file's lock, edit the text on disk, check it, write it, apply it; when applying fails, file and host go back.
 */
import {
  type ChangeResult,
  type Config,
  type ConfigProblem,
  GatewayError,
  messageOf,
  type PlannedChange,
  type WriteOptions,
} from "@chela/sdk";
import { planChanges } from "./classify.ts";
import { describeHotFields, describeSchema } from "./describe.ts";
import { diffVersions } from "./diff.ts";
import { documentOf, type FileState } from "./disk.ts";
import { type ConfigDocument, missingHash } from "./document.ts";
import type { ConfigFile, Written } from "./file.ts";
import { checked, kernelErrors } from "./judge.ts";
import { keepRedacted } from "./keep.ts";
import { formatPath, getAt, parsePath } from "./paths.ts";
import type { Prepared } from "./prepare.ts";
import { redact, redactAt, redactedView } from "./redact.ts";
import { isKernelOwner, type Section } from "./sections.ts";
import { invalidConfig, isAtOrBelow, type Snapshot } from "./snapshot.ts";
import { type PlainObject, plainCopy } from "./values.ts";

export type ConfigTrouble = NonNullable<ReturnType<Config["trouble"]>>;

/** What the service needs of whoever runs the config. */
export interface ConfigHost {
  readonly file: ConfigFile;
  sections(): readonly Section[];
  /** The version of the file that the host took in last; what runs may lag behind by what is pending. */
  snapshot(): Snapshot;
  /** Resolves with the live sections (`resolveConfig`). */
  resolve(document: ConfigDocument): Promise<Snapshot>;
  /** Makes it run. `failed` names only what this change broke; nothing may be thrown away before it is committed. `undoes`:
   * plugins that the change before broke, which is taken back with this one. */
  apply(next: Snapshot, why: string, who: string, undoes?: readonly string[]): Promise<ChangeResult>;
  /** The one serial queue of changes. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Checks beyond the schemas, the `config:validate` hook among them. */
  validateSemantics(next: Snapshot): Promise<readonly ConfigProblem[]>;
  pending(): readonly string[];
  trouble(): ConfigTrouble | null;
  /** Remembers why the file on disk is not what runs (null: it is) and tells everyone. */
  setTrouble(trouble: ConfigTrouble | null): void;
}

/** What only a change needs, loaded with the first. */
const changing = () => import("./prepare.ts");

export function createConfigService(host: ConfigHost): Config {
  const { file } = host;
  const view = () => redactedView(host.snapshot());
  let shown: { readonly of: Snapshot; readonly view: PlainObject } | undefined;
  /** Asked for again and again by those who read one value of it. */
  const viewOnce = () => {
    const of = host.snapshot();
    if (shown?.of !== of) shown = { of, view: redactedView(of) };
    return shown.view;
  };
  const fileAlone = () => redact(rawOf(host), host.snapshot().schema) as PlainObject;
  return {
    path: file.path,
    view,
    file: fileAlone,
    get: (path, source) => {
      const value = getAt(source === "file" ? fileAlone() : viewOnce(), parsePath(path));
      return value === undefined ? { found: false } : { found: true, value };
    },
    hash: () => file.state.hash,
    trouble: () => host.trouble(),
    problems: () => host.snapshot().problems,
    pending: () => host.pending(),
    redact: (path, value) => redactAt(host.snapshot(), path, value),
    restore: (path, value, stored) => {
      const where = formatPath(parsePath(path));
      return keepRedacted(plainCopy(value, where), { path: where, stored, live: undefined });
    },
    plan: async (edits) => {
      const { prepareEdits } = await changing();
      return changesOf(host, (await prepareEdits(host, file.refresh(), edits)).next);
    },
    planFile: async (text) => {
      const { prepareText } = await changing();
      return changesOf(host, (await prepareText(host, text, false)).next);
    },
    write: (edits, options) =>
      change(host, async (current) => (await changing()).prepareEdits(host, current, edits), options),
    reload: (why) => host.exclusive(() => reload(host, why)),
    backups: async () => file.backups.list(),
    diff: async (id) => {
      const [newest] = file.backups.list();
      const from = id ?? newest?.id;
      if (from === undefined) return "";
      const older = { name: `backup ${from}`, text: file.backups.read(from) };
      return diffVersions(older, { name: "config.json", text: file.refresh().text ?? "" }, host.snapshot().schema);
    },
    rollback: async (id, options) => {
      const chosen = file.backups.pick(id, file.refresh().hash);
      const text = file.backups.read(chosen);
      const why = options.why ?? `rollback to ${chosen}`;
      const whole = async () => (await changing()).prepareText(host, text, options.force === true);
      return change(host, whole, { ...options, why }, true);
    },
    schema: () => describeSchema(host.sections()),
    hotFields: () => describeHotFields(host.sections()),
  };
}

/** Writes what `prepare` makes of the text on disk, then applies it. */
function change(
  host: ConfigHost,
  prepare: (current: FileState) => Promise<Prepared>,
  options: WriteOptions,
  overBroken = false,
): Promise<ChangeResult> {
  return host.exclusive(async () => {
    let next: Snapshot | undefined;
    const previous = host.snapshot();
    const written = await host.file.write(
      async (current) => {
        const overNothing = overBroken || options.force === true;
        if (!overNothing) assertThere(current, previous, host.file.path);
        const prepared = await prepare(current);
        next = prepared.next;
        return prepared;
      },
      { ...options, overBroken },
    );
    if (next === undefined || next.hash === previous.hash) return unchanged(host);
    const why = options.why ?? `config change by ${options.who}`;
    const result = await applied(host, next, why, options.who);
    if (result.failed.length === 0) {
      host.setTrouble(null);
      return result;
    }
    await takeBack(host, { written, previous, broke: result.failed.map(({ id }) => id) }, options.who);
    throw applyFailed(result, host.file.state.hash);
  });
}

/** An exception of the host counts as a failure of the change. */
async function applied(host: ConfigHost, next: Snapshot, why: string, who: string): Promise<ChangeResult> {
  try {
    return await host.apply(next, why, who);
  } catch (error) {
    const id = GatewayError.is(error) ? error.code : "host";
    const reason = messageOf(error);
    return { applied: [], restarted: [], pending: host.pending(), failed: [{ id, reason }], hash: next.hash };
  }
}

interface Undo {
  readonly written: Written;
  readonly previous: Snapshot;
  readonly broke: readonly string[];
}

async function takeBack(host: ConfigHost, { written, previous, broke }: Undo, who: string): Promise<void> {
  const why = "taken back: it could not be applied";
  if (written.before.hash !== written.after.hash) await host.file.restore(written, { who, why });
  await host.apply(previous, why, who, broke).catch(() => undefined);
}

function applyFailed({ failed }: ChangeResult, hash: string): GatewayError {
  const reasons = failed.map(({ id, reason }) => `${id}: ${reason}`).join("; ");
  const message = `the change was taken back because it could not be applied: ${reasons}`;
  return new GatewayError("CONFIG_APPLY_FAILED", 400, message, { failed, hash });
}

/** The file is somebody else's work: it is never touched here. What cannot be used leaves the last good config running. */
async function reload(host: ConfigHost, why: string): Promise<ChangeResult> {
  const previous = host.snapshot();
  try {
    const current = host.file.refresh();
    assertThere(current, previous, host.file.path);
    if (current.hash === previous.hash) {
      host.setTrouble(null);
      return unchanged(host);
    }
    const next = await checked(host, documentOf(current, host.file.path));
    const blocking = [...kernelErrors(next), ...newlyBroken(previous, next)];
    if (blocking.length > 0) throw invalidConfig(blocking);
    const result = await host.apply(next, why, "file");
    const reasons = result.failed.map(({ id, reason }) => `${id}: ${reason}`).join("; ");
    host.setTrouble(reasons === "" ? null : { message: `not everything could be applied: ${reasons}`, at: Date.now() });
    return result;
  } catch (error) {
    host.setTrouble(troubleOf(error));
    throw error;
  }
}

/** A section that could be used until now: its plugin is not taken down by a slip of the pen. */
function newlyBroken(previous: Snapshot, next: Snapshot): readonly ConfigProblem[] {
  const hit = next.sections.filter(
    ({ owner }) => next.broken.has(owner) && !previous.broken.has(owner) && !isKernelOwner(owner),
  );
  return next.problems.filter(
    ({ path, level }) => level === "error" && hit.some((section) => isAtOrBelow(path, section.path)),
  );
}

/** What a refused file tells in `status` and on the event stream. */
export function troubleOf(error: unknown): ConfigTrouble {
  const message = messageOf(error);
  const { line, column } = (GatewayError.is(error) ? error.details : undefined) ?? {};
  const place = typeof line === "number" && typeof column === "number" ? { line, column } : {};
  return { message, ...place, at: Date.now() };
}

/** A file that vanished is no config of defaults: neither applied, nor what an edit starts from. */
function assertThere(current: FileState, previous: Snapshot, path: string): void {
  if (current.text !== null || previous.hash === missingHash) return;
  const message = `${path} is gone; the last config keeps running. Put it back or roll back (\`chela config rollback\`)`;
  throw new GatewayError("CONFIG_MISSING", 404, message, { path });
}

function unchanged(host: ConfigHost): ChangeResult {
  return { applied: [], restarted: [], pending: host.pending(), failed: [], hash: host.file.state.hash };
}

function changesOf(host: ConfigHost, next: Snapshot): readonly PlannedChange[] {
  return planChanges(host.snapshot(), next, host.sections());
}

/** The file as it is on disk where it parses, else the last version that did. */
function rawOf(host: ConfigHost): unknown {
  try {
    return documentOf(host.file.state, host.file.path).raw;
  } catch {
    return host.snapshot().raw;
  }
}
