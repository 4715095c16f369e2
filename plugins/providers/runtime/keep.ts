/**
 * Keeps what is remembered of providers with `runtime_persist` over a restart: one small file each, 0600, replaced whole. Never
 * on the way of a request: what changed is written a moment later, many changes at once.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "@chela/sdk";

export interface KeepOptions {
  /** Asked once, when there is something to keep or to look for. */
  readonly folder: () => string;
  readonly snapshot: (provider: string) => unknown;
  readonly log: Pick<Logger, "warn">;
  readonly delayMs?: number;
}

const maxBytes = 4 * 1024 * 1024;

export class Keep {
  readonly #options: KeepOptions;
  readonly #dirty = new Set<string>();
  #folder: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: KeepOptions) {
    this.#options = options;
  }

  /** To be written soon. */
  touch(provider: string): void {
    if (this.#dirty.has(provider)) return;
    this.#dirty.add(provider);
    this.#folder ??= this.#options.folder();
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.delayMs ?? 2000).unref();
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.#dirty];
    this.#dirty.clear();
    this.#work = this.#work.then(async () => {
      for (const name of names) await this.#write(name);
    });
    return this.#work;
  }

  /** What was kept; undefined when nothing was, or nothing that can be read. */
  async load(provider: string): Promise<unknown> {
    try {
      const text = await readFile(this.#path(provider), "utf8");
      return text.length > maxBytes ? undefined : JSON.parse(text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#tell(provider, "cannot be read", error);
      return undefined;
    }
  }

  /** Removes the file; what waited to be written is dropped. */
  remove(provider: string): Promise<void> {
    this.#dirty.delete(provider);
    this.#work = this.#work.then(() => rm(this.#path(provider), { force: true }).catch(() => undefined));
    return this.#work;
  }

  async #write(provider: string): Promise<void> {
    const snapshot = this.#options.snapshot(provider);
    if (snapshot === undefined) return;
    const path = this.#path(provider);
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = `${path}.${process.pid}.tmp`;
      await writeFile(draft, `${JSON.stringify(snapshot)}\n`, { mode: 0o600 });
      await chmod(draft, 0o600);
      await rename(draft, path);
    } catch (error) {
      this.#tell(provider, "cannot be written", error);
    }
  }

  #path(provider: string): string {
    this.#folder ??= this.#options.folder();
    return join(this.#folder, "runtime", `${provider}.json`);
  }

  #tell(provider: string, what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.warn(
      { provider, reason },
      `The kept runtime state of ${provider} ${what} (${reason}); going on without`,
    );
  }
}
