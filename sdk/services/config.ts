/** The configuration (provided by the host): one reader, one writer, one plan. Paths are dotted: `gateway.port`. */
import type { ConfigProblem } from "../hooks.ts";
import { defineService } from "../service.ts";

/** Stands where a secret stands, in everything that is read; sent back, it means "keep". */
export const redactedMark = "__CHELA_REDACTED__";

/** `none`: nothing that is live reads this key. */
export type ChangeClass = "hot" | "restart-plugin" | "restart-gateway" | "none";

/** What one changed key would take. */
export interface PlannedChange {
  readonly path: string;
  readonly class: ChangeClass;
  /** Plugin id, `gateway` or `` for a key nobody owns. */
  readonly owner: string;
}

/** What a change did. `pending` waits for a restart because of `gateway.reload.mode`. */
export interface ChangeResult {
  readonly applied: readonly string[];
  readonly restarted: readonly string[];
  readonly pending: readonly string[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly hash: string;
}

/** The path of a key as text: `gateway.port`, and `a["x.y"]` for what dots alone cannot spell. */
export function configPath(keys: readonly string[]): string {
  return keys.reduce((text, key, index) => {
    const plain = key !== "" && !/[.[\]]/.test(key) && !(key === "enable" && index === keys.length - 1);
    if (!plain) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** One key and its new value. */
export interface ConfigEdit {
  readonly path: string;
  /** undefined removes the key. */
  readonly value: unknown;
}

/** Who writes, why, and under which conditions. */
export interface WriteOptions {
  /** For the journal: `api`, `cli`, `plugin:keys`. */
  readonly who: string;
  readonly why?: string;
  /** Refuse with `CONFIG_CONFLICT` (409, `details.hash`) when the file is not this version. */
  readonly baseHash?: string;
  /** Let a write through that drops unnamed top-level keys or half of the file. */
  readonly force?: boolean;
}

/** A version of the file that was kept. */
export interface Backup {
  readonly id: string;
  readonly at: number;
  readonly bytes: number;
  readonly hash: string;
  /** The write that made this version; absent for an edit by hand, and when the journal has forgotten it. */
  readonly made?: WriteNote;
  /** The write that took its place. */
  readonly replaced?: WriteNote;
}

/** One write, as the journal has it. */
export interface WriteNote {
  readonly at: number;
  readonly who: string;
  readonly why: string;
}

/** A problem with its place in a text: both count from 1. Absent where no place can be told. */
export interface LocatedProblem extends ConfigProblem {
  readonly line?: number;
  readonly column?: number;
}

/**
 * The file as text, comments and all. `redactedMark` stands where a secret stands, and `redactedMark@PLACE` where no path leads
 * back to it; sent back, both mean "keep".
 */
export interface ConfigText {
  readonly text: string;
  /** Of the file itself: the base of what is written next. */
  readonly hash: string;
  readonly path: string;
  readonly problems: readonly LocatedProblem[];
}

/** What writing a text would do. */
export interface ConfigDraft {
  /** False: a write would be refused for one of the problems. */
  readonly ok: boolean;
  /** Of the file it was compared with. */
  readonly hash: string;
  readonly problems: readonly LocatedProblem[];
  readonly changes: readonly PlannedChange[];
  /** Unified, from the file to this text, secrets redacted. */
  readonly diff: string;
  /** Why a write would need `force`: it drops a section, or half of the file. */
  readonly guard: string | null;
}

/** A part of the config that belongs to somebody. */
export interface ConfigSection {
  /** Dotted. */
  readonly path: string;
  /** Plugin id, or `gateway`. */
  readonly owner: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** Patterns of the keys below it that apply live. */
  readonly hot: readonly string[];
}

/** Reads, plans and changes the configuration. Secrets are redacted in everything it returns. */
export interface Config {
  /** Defaults merged with the file, secrets redacted. */
  view(): Readonly<Record<string, unknown>>;
  /** The file alone, parsed, secrets redacted. */
  file(): Readonly<Record<string, unknown>>;
  /** One value of `file()` or `view()`; `found` is false where nothing is. Throws `CONFIG_PATH` for what is no path. */
  get(path: string, source: "file" | "merged"): { readonly found: boolean; readonly value?: unknown };
  /** SHA-256 of the file's bytes, hex. */
  hash(): string;
  readonly path: string;
  /** Why the file on disk is not what runs, or null. */
  trouble(): { readonly message: string; readonly line?: number; readonly column?: number; readonly at: number } | null;
  /** Problems of the file as it is, warnings included. */
  problems(): readonly ConfigProblem[];
  /** Keys that wait for a restart. */
  pending(): readonly string[];
  /** A copy of a value as it is shown where it stands at this path: without secrets. */
  redact(path: string, value: unknown): unknown;
  /**
   * The way back: a copy of a value with what `stored` has wherever `redactedMark` stands. Throws `CONFIG_REDACTED` where that
   * is nothing, `CONFIG_VALUE` and `CONFIG_KEY` for what no config can hold.
   */
  restore(path: string, value: unknown, stored: unknown): unknown;
  /** Dry run. Throws `CONFIG_INVALID` as `write` would. */
  plan(edits: readonly ConfigEdit[]): Promise<readonly PlannedChange[]>;
  /** Dry run of a whole file; marks in it keep what is there. */
  planFile(text: string): Promise<readonly PlannedChange[]>;
  /** The file as it is on disk, also one that does not parse: then only words known to be harmless are shown. */
  text(): Promise<ConfigText>;
  /** Dry run of a whole text, for an editor: never throws for what is wrong with the text. */
  judge(text: string): Promise<ConfigDraft>;
  /**
   * Puts a whole text in place of the file, also of one that does not parse. Like `write` in everything else; an error has
   * `details.problems`. Give the `baseHash` of the text that was edited: its marks count in that version.
   */
  writeText(text: string, options: WriteOptions & { readonly baseHash: string }): Promise<ChangeResult>;
  /** Edits, validates, writes, applies; puts everything back when applying fails. */
  write(edits: readonly ConfigEdit[], options: WriteOptions): Promise<ChangeResult>;
  /** Reads the file again and applies what changed. */
  reload(why: string): Promise<ChangeResult>;
  backups(): Promise<readonly Backup[]>;
  /** One of them as text, secrets redacted. Throws `CONFIG_BACKUP` 404. */
  backup(id: string): Promise<Backup & { readonly text: string }>;
  /** Unified diff, secrets redacted, of a backup (default: the newest) against the file. */
  diff(id?: string): Promise<string>;
  rollback(id: string | undefined, options: WriteOptions): Promise<ChangeResult>;
  /** JSON Schema of everything live. */
  schema(): Readonly<Record<string, unknown>>;
  /** Everything live, part by part. */
  sections(): readonly ConfigSection[];
  /** By dotted path the variable of the environment that decides a key, whatever the file says. */
  overrides(): Readonly<Record<string, string>>;
  /** Hot keys as patterns with their owner, for ClawGo's `hot_reload_fields`. */
  hotFields(): readonly { readonly path: string; readonly name: string; readonly description: string }[];
}

/** Name it in `needs`. */
export const config = defineService<Config>("config", "1.0.0");
