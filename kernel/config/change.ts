/**
 * One change of the config, from the text on disk to what runs: in the host's queue and under the file's lock, and back again
 * when it cannot be applied. Loaded with the first change.
 */
import { type ChangeResult, type ConfigProblem, GatewayError, messageOf, type WriteOptions } from "@chela/sdk";
import { documentOf, type FileState } from "./disk.ts";
import { missingHash } from "./document.ts";
import type { Written } from "./file.ts";
import { checked, kernelErrors, troubleOf } from "./judge.ts";
import type { Prepared } from "./prepare.ts";
import { isKernelOwner } from "./sections.ts";
import type { ConfigHost } from "./service.ts";
import { invalidConfig, isAtOrBelow, type Snapshot } from "./snapshot.ts";

/** Writes what `prepare` makes of the text on disk, then applies it. */
export function change(
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
export async function reload(host: ConfigHost, why: string): Promise<ChangeResult> {
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

/** A file that vanished is no config of defaults: neither applied, nor what an edit starts from. */
function assertThere(current: FileState, previous: Snapshot, path: string): void {
  if (current.text !== null || previous.hash === missingHash) return;
  const message = `${path} is gone; the last config keeps running. Put it back or roll back (\`chela config rollback\`)`;
  throw new GatewayError("CONFIG_MISSING", 404, message, { path });
}

function unchanged(host: ConfigHost): ChangeResult {
  return { applied: [], restarted: [], pending: host.pending(), failed: [], hash: host.file.state.hash };
}
