/**
 * The config file and its one writer. A write happens under a lock between processes, on the file as it is on disk, and
 * replaces it as a whole: after a crash at any moment it is the old one or the new one. Nothing writes it but `write`.
 */
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { withFileLock } from "../disk/file-lock.ts";
import { codeOf, syncFolder, writeFileAtomic } from "../disk/files.ts";
import { Backups } from "./backups.ts";
import { type FileState, readState, realTarget } from "./disk.ts";
import { hashOf, missingHash } from "./document.ts";
import { assertBase, assertNothingLost, assertParses, type Draft } from "./guard.ts";
import { appendJournal } from "./journal.ts";
import type { Location } from "./locate.ts";
import { handBack, ownerOf } from "./owner.ts";

/** A file that changes this often while one edit is made is being written by something else. */
const maxDrafts = 5;
const writeReasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file may not grow",
  EROFS: "the file system is read-only",
  EACCES: "permission denied for the file or its folder",
  EPERM: "permission denied for the file or its folder",
  EBUSY: "it is mounted as a single file; mount its folder instead",
  ENOTDIR: "its folder is not a folder",
};

export interface WriteFacts {
  readonly who: string;
  readonly why?: string | undefined;
  /** Refuse when the file is not this version. */
  readonly baseHash?: string | undefined;
  readonly force?: boolean | undefined;
  /** Write also when the file on disk does not parse. */
  readonly overBroken?: boolean;
}

export interface Written {
  readonly before: FileState;
  readonly after: FileState;
}

export interface FileOptions extends Location {
  /** Hears of what went wrong after the write itself was safe. */
  readonly warn?: (message: string) => void;
}

export class ConfigFile {
  readonly path: string;
  readonly backups: Backups;
  readonly journal: string;
  readonly #stateDir: string;
  readonly #warn: (message: string) => void;
  #state: FileState = { text: null, hash: missingHash };

  private constructor(options: FileOptions) {
    this.path = options.configPath;
    this.#stateDir = options.stateDir;
    this.backups = new Backups(join(options.stateDir, "backups", "config"));
    this.journal = join(options.stateDir, "config-journal.jsonl");
    this.#warn = options.warn ?? (() => undefined);
  }

  /** Reads the file; a missing one is no error, one that cannot be read is `CONFIG_READ`. */
  static async open(options: FileOptions): Promise<ConfigFile> {
    const file = new ConfigFile(options);
    file.refresh();
    return file;
  }

  /** As last read or written. A copy: what is parsed of it (`documentOf`) is kept no longer than by whoever asked. */
  get state(): FileState {
    return { ...this.#state };
  }

  /** Reads the file again. */
  refresh(): FileState {
    this.#state = readState(this.path);
    return this.state;
  }

  /**
   * Throws `CONFIG_CONFLICT` 409 with `details.hash`, `CONFIG_SYNTAX` when the file on disk does not parse,
   * `CONFIG_GUARD` 409 for a write that loses what nobody named, `CONFIG_WRITE` 500 when the disk refuses.
   */
  async write(edit: (current: FileState) => Draft | Promise<Draft>, facts: WriteFacts): Promise<Written> {
    return this.#locked(async (target) => {
      const { before, draft } = await this.#drafted(edit, facts);
      if (draft.text === null || draft.text === before.text) return { before, after: before };
      if (!facts.force) assertNothingLost(before, draft, this.path);
      if (before.text !== null) await this.backups.add(before.bytes ?? before.text);
      return this.#replace(target, { before, after: { text: draft.text, hash: hashOf(draft.text) } }, facts);
    });
  }

  /** Undoes a write whose change could not be applied. False when somebody wrote in between: theirs stays. */
  async restore({ before, after }: Written, facts: Pick<WriteFacts, "who" | "why">): Promise<boolean> {
    return this.#locked(async (target) => {
      if (this.refresh().hash !== after.hash) return false;
      await this.#replace(target, { before: after, after: before }, facts);
      return true;
    });
  }

  /** Editors know of no lock: when the file changed while the draft was made, it is made again. */
  async #drafted(
    edit: (current: FileState) => Draft | Promise<Draft>,
    facts: WriteFacts,
  ): Promise<{ before: FileState; draft: Draft }> {
    for (let attempt = 1; ; attempt++) {
      const before = this.refresh();
      assertBase(before, attempt > maxDrafts ? "" : facts.baseHash, this.path);
      if (!facts.overBroken) assertParses(before, this.path);
      const draft = await edit(before);
      if (this.refresh().hash === before.hash) return { before, draft };
    }
  }

  async #replace(target: string, change: Written, facts: Pick<WriteFacts, "who" | "why">): Promise<Written> {
    const { before, after } = change;
    const owner = ownerOf(target);
    if (after.text === null) {
      rmSync(target, { force: true });
      await syncFolder(dirname(target));
    } else await writeFileAtomic(target, after.bytes ?? after.text);
    this.#state = { ...after };
    const entry = { at: Date.now(), who: facts.who, why: facts.why ?? "", before: before.hash, after: after.hash };
    try {
      await appendJournal(this.journal, entry);
      handBack({ stateDir: this.#stateDir, configPath: target }, owner);
    } catch (error) {
      this.#warn(
        `the config was written, but not all that goes with it: ${error instanceof Error ? error.message : error}`,
      );
    }
    return change;
  }

  async #locked<T>(work: (target: string) => Promise<T>): Promise<T> {
    try {
      const target = realTarget(this.path);
      return await withFileLock(`${target}.lock`, () => {
        removeDrafts(target);
        return work(target);
      });
    } catch (error) {
      throw GatewayError.is(error) ? error : writeError(this.path, error);
    }
  }
}

/** What writers that were killed left behind: with the lock held, no draft can be anybody's. */
function removeDrafts(target: string): void {
  const prefix = `.${basename(target)}.`;
  for (const name of readdirSync(dirname(target))) {
    if (name.startsWith(prefix) && name.endsWith(".tmp")) rmSync(join(dirname(target), name), { force: true });
  }
}

function writeError(path: string, error: unknown): GatewayError {
  const code = codeOf(error);
  const reason = writeReasons[code] ?? (code || String(error));
  const message = `the config ${path} cannot be written: ${reason}; nothing was changed`;
  return new GatewayError("CONFIG_WRITE", 500, message, { path, reason: code }, { cause: error });
}
