/**
 * Keeps what is remembered of providers with `runtime_persist` over a restart: one small file each, 0600, replaced whole. Never
 * on the way of a request: what changed is written a moment later, many changes at once.
 */
import { type Files, type Logger, messageOf } from "@chela/sdk";

export interface KeepOptions {
  /** Asked once, when there is something to keep or to look for. */
  readonly folder: () => string;
  readonly files: Files;
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
      const bytes = await this.#options.files.read(this.#root(), fileOf(provider), maxBytes);
      return bytes && JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      this.#tell(provider, "cannot be read", error);
      return undefined;
    }
  }

  /** Removes the file; what waited to be written is dropped. */
  remove(provider: string): Promise<void> {
    this.#dirty.delete(provider);
    const gone = async () => void (await this.#options.files.remove(this.#root(), fileOf(provider)));
    this.#work = this.#work.then(gone).catch(() => undefined);
    return this.#work;
  }

  async #write(provider: string): Promise<void> {
    const snapshot = this.#options.snapshot(provider);
    if (snapshot === undefined) return;
    try {
      const text = `${JSON.stringify(snapshot)}\n`;
      await this.#options.files.write(this.#root(), fileOf(provider), text, { mode: 0o600 });
    } catch (error) {
      this.#tell(provider, "cannot be written", error);
    }
  }

  #root(): string {
    this.#folder ??= this.#options.folder();
    return this.#folder;
  }

  #tell(provider: string, what: string, error: unknown): void {
    const reason = messageOf(error);
    this.#options.log.warn(
      { provider, reason },
      `The kept runtime state of ${provider} ${what} (${reason}); going on without`,
    );
  }
}

function fileOf(provider: string): string {
  return `runtime/${provider}.json`;
}
