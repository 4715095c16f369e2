/**
 * The door to chokidar. A target is watched through the folder it lies in, because editors replace files by renaming
 * and a target may not exist yet; its changes arrive in batches of absolute paths, and the calls never overlap.
 */
import { EventEmitter } from "node:events";
import { existsSync, lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { FSWatcher } from "chokidar";

export interface WatchOptions {
  /** Quiet time after the last event before a batch is delivered; never less than 60 ms. Asked anew for each event. */
  readonly debounceMs: number | (() => number);
  /** A failed `onChange`, or a fault of the file system's own (too many watches). Watching goes on. */
  readonly onError?: (error: unknown) => void;
  /** Watching begins when this is settled: what comes before it has no time for chokidar. */
  readonly after?: Promise<unknown>;
}

export interface Watching {
  /** Resolves when changes from now on are seen. */
  readonly ready: Promise<void>;
  /** Idempotent. Waits for a batch that is being handled; none is delivered after. */
  close(): Promise<void>;
}

/** Folders that chokidar's own way passes over without a word. */
const passedOver: ReadonlySet<string> = new Set(["ENOENT", "EPERM", "EACCES", "ELOOP", "ENOTDIR"]);

/** Folders that come and go all the time are looked at so often. */
const maxTries = 5;

/** A steady stream of events delays a batch by this many debounce times at most. */
const maxDelays = 10;

/** chokidar swallows a second change of one file within 50 ms: a batch delivered sooner would miss the final content. */
const shortestDebounceMs = 60;

/** Watches files and folders (with all they hold), existing or not. */
export function watchPaths(
  paths: readonly string[],
  options: WatchOptions,
  onChange: (changed: readonly string[]) => void | Promise<void>,
): Watching {
  const targets = paths.map((path) => resolve(path));
  const batch = new Batch(options, onChange);
  let closing: Promise<void> | undefined;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const begun = options.after ? Promise.race([options.after.catch(() => undefined), stopped]) : Promise.resolve();
  const opened = begun.then(() => (closing ? undefined : open(targets, batch, options)));
  opened.catch(() => undefined);
  const close = async () => {
    batch.stop();
    stop();
    const watcher = await opened.catch(() => undefined);
    await watcher?.close();
    await batch.settled();
  };
  return {
    ready: opened.then(() => undefined),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** A folder that comes into being between chokidar's look and its watch is never seen by it: then it has to look again. */
async function open(targets: readonly string[], batch: Batch, options: WatchOptions): Promise<FSWatcher> {
  for (let tries = 1; ; tries++) {
    const roots = rootsOf(targets);
    const watcher = await openAt(roots, targets, { batch, options });
    if (tries === maxTries || String(rootsOf(targets)) === String(roots)) return watcher;
    await watcher.close();
  }
}

function rootsOf(targets: readonly string[]): readonly string[] {
  return [...new Set(targets.map(watchRoot))];
}

async function openAt(
  roots: readonly string[],
  targets: readonly string[],
  { batch, options }: { readonly batch: Batch; readonly options: WatchOptions },
): Promise<FSWatcher> {
  const { FSWatcher } = await import("chokidar");
  /**
   * After each event in a folder chokidar asks the disk about all that it holds, file by file. Their names are enough: what is
   * new it looks at itself. On the way to a target that one name is.
   */
  class TargetWatcher extends FSWatcher {
    override _readdirp(...[root]: Parameters<FSWatcher["_readdirp"]>): ReturnType<FSWatcher["_readdirp"]> {
      const folder = resolve(root);
      const isWatched = targets.some((target) => target === folder || inside(folder, target));
      const entries = isWatched ? namesIn(folder) : wayThrough(folder, targets);
      return told(entries) as unknown as ReturnType<FSWatcher["_readdirp"]>;
    }
  }
  const watcher = new TargetWatcher({
    ignoreInitial: true,
    ignorePermissionErrors: true,
    ignored: (path) => !targets.some((target) => related(resolve(path), target)),
  });
  watcher.on("all", (_event, path) => {
    const changed = resolve(path);
    if (targets.some((target) => changed === target || inside(changed, target))) batch.add(changed);
  });
  watcher.on("error", (error) => options.onError?.(error));
  watcher.add([...roots]);
  await new Promise<void>((ready) => watcher.once("ready", ready));
  return watcher;
}

/** As much of a stream as chokidar looks at: a real one for each event would cost more than all the rest. */
function told(entries: readonly unknown[] | Promise<readonly unknown[]>): EventEmitter {
  const stream = new EventEmitter();
  Promise.resolve(entries).then(
    (found) => {
      for (const entry of found) stream.emit("data", entry);
      stream.emit("end");
    },
    (error) => stream.emit("error", error),
  );
  return stream;
}

/** Nothing, when the folder is gone or may not be read. */
async function namesIn(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (passedOver.has(error.code ?? "")) return [];
    throw error;
  });
  return entries.map((stats) => {
    return { path: stats.name, basename: stats.name, fullPath: join(folder, stats.name), stats };
  });
}

/** The entries of a folder that are targets or lead to one, as chokidar wants them. */
function wayThrough(folder: string, targets: readonly string[]) {
  const depth = folder.endsWith(sep) ? folder.length : folder.length + 1;
  const below = targets.filter((target) => inside(target, folder));
  const names = new Set(below.map((target) => target.slice(depth).split(sep, 1)[0] as string));
  return [...names].flatMap((path) => {
    const fullPath = join(folder, path);
    try {
      return [{ path, basename: path, fullPath, stats: lstatSync(fullPath) }];
    } catch {
      return [];
    }
  });
}

/** The nearest folder above the target that exists: it tells of the target coming, going and being replaced. */
function watchRoot(target: string): string {
  let folder = dirname(target);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** True on the way down to the target, at it, and below it. */
function related(path: string, target: string): boolean {
  return path === target || inside(path, target) || inside(target, path);
}

function inside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Collects paths until it is quiet, then hands them over, one batch at a time. */
class Batch {
  readonly #options: WatchOptions;
  readonly #deliver: (changed: readonly string[]) => void | Promise<void>;
  #paths = new Set<string>();
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: WatchOptions, deliver: (changed: readonly string[]) => void | Promise<void>) {
    this.#options = options;
    this.#deliver = deliver;
  }

  add(path: string): void {
    if (this.#stopped) return;
    const { debounceMs: wanted } = this.#options;
    const debounceMs = Math.max(typeof wanted === "number" ? wanted : wanted(), shortestDebounceMs);
    const now = performance.now();
    if (this.#paths.size === 0) this.#since = now;
    this.#paths.add(path);
    clearTimeout(this.#timer);
    const left = this.#since + debounceMs * maxDelays - now;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.min(debounceMs, left)));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  settled(): Promise<void> {
    return this.#running;
  }

  #flush(): void {
    const changed = [...this.#paths].sort();
    this.#paths = new Set();
    this.#running = this.#running.then(() => this.#hand(changed));
  }

  async #hand(changed: readonly string[]): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#deliver(changed);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }
}
