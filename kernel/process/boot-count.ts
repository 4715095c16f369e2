/**
 * Remembers, across processes, boots that crashed. A boot counts while plugins are being started and when the process
 * ends by an internal fault; three in a row within a quarter of an hour mean safe mode, once: the next start after it
 * tries again with everything, so nobody is stuck.
 */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../disk/files.ts";

interface BootState {
  readonly crashes: readonly number[];
  /** Set while plugins start; still set at the next boot when this one crashed. */
  readonly startingSince: number | null;
}

const crashesToSafeMode = 3;
const windowMs = 15 * 60_000;

export class BootCount {
  readonly #file: string;
  readonly #trouble: (error: unknown) => void;
  #state: BootState;

  private constructor(file: string, state: BootState, trouble: (error: unknown) => void) {
    this.#file = file;
    this.#state = state;
    this.#trouble = trouble;
  }

  /** A disk on which nothing can be remembered is told to `trouble`, and stops nobody. */
  static async open(stateDir: string, trouble: (error: unknown) => void): Promise<BootCount> {
    const file = join(stateDir, "boot.json");
    return new BootCount(file, parse(await readIfThere(file, 65_536)), trouble);
  }

  /** Empty, or why this boot must be a safe one. Changes nothing: a start that is refused (bad config, port in use) is no crash. */
  verdict(now: number): string {
    const { length } = this.#recent(now);
    if (length < crashesToSafeMode) return "";
    return `safe mode: ${length} boots in a row crashed; only config, logs and the WebUI run. Fix or disable the plugin that the log names (chela plugins disable ID), then restart the gateway: the next start tries everything again`;
  }

  /** Call right before plugins start: until `succeeded` or `stopped`, an end of the process counts as a crash. */
  async begin(now: number): Promise<void> {
    const recent = this.#recent(now);
    await this.#save({ crashes: recent.length >= crashesToSafeMode ? [] : recent, startingSince: now });
  }

  #recent(now: number): readonly number[] {
    const { crashes, startingSince } = this.#state;
    return [...crashes, ...(startingSince === null ? [] : [startingSince])].filter(
      (at) => Math.abs(now - at) < windowMs,
    );
  }

  /** The boot came through. */
  async succeeded(): Promise<void> {
    await this.#save({ crashes: this.#state.crashes, startingSince: null });
  }

  /** The process ends by a fault after the boot came through. */
  async crashed(now: number): Promise<void> {
    await this.#save({ crashes: [...this.#state.crashes, now], startingSince: null });
  }

  /** An orderly end clears the record. */
  async stopped(): Promise<void> {
    await this.#save({ crashes: [], startingSince: null });
  }

  async #save(state: BootState): Promise<void> {
    this.#state = state;
    // Old or new after a kill -9; a power cut may lose it, and the start does not wait for the disk.
    const draft = `${this.#file}.tmp`;
    await writeFile(draft, JSON.stringify(state), { mode: 0o600 })
      .then(() => rename(draft, this.#file))
      .catch(this.#trouble);
  }
}

function parse(text: string | undefined): BootState {
  try {
    const value = JSON.parse(text ?? "") as Partial<BootState>;
    const crashes = Array.isArray(value.crashes) ? value.crashes.filter((at) => typeof at === "number") : [];
    return { crashes, startingSince: typeof value.startingSince === "number" ? value.startingSince : null };
  } catch {
    return { crashes: [], startingSince: null };
  }
}
