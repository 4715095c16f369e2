/**
 * A text that a person edits while others may write it, too: what it was made from, what is there now, and what was typed.
 * What was typed outlives the page in this tab of the browser. It holds three versions and decides nothing by itself.
 */
import { namesHere, rememberedHere, rememberHere } from "../client/storage.ts";
import { type Merged, type MergeMarks, merge } from "./line-diff.ts";

export interface TextVersion {
  readonly text: string;
  /** Of the gateway; empty when nothing is there. */
  readonly hash: string;
}

interface Kept {
  readonly base: TextVersion;
  readonly mine: string;
}

const prefix = "draft.";
/** A long text is not written with every key. */
const quietMs = 300;

export class TextDraft {
  readonly #name: string;
  #base: TextVersion | undefined;
  #theirs: TextVersion | undefined;
  #mine = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `name` finds again what was typed before a reload. */
  constructor(name: string) {
    this.#name = name;
    const kept = read(name);
    this.#base = kept?.base;
    this.#mine = kept?.mine ?? "";
  }

  /** What was typed, or what is there. */
  get mine(): string {
    return this.#mine;
  }

  /** What the typed text was made from; undefined until something was loaded. */
  get base(): TextVersion | undefined {
    return this.#base;
  }

  /** The newest version of the gateway. */
  get theirs(): TextVersion | undefined {
    return this.#theirs;
  }

  get isChanged(): boolean {
    return this.#base !== undefined && this.#mine !== this.#base.text;
  }

  /** Somebody else wrote since this text was begun. */
  get isOvertaken(): boolean {
    return this.isChanged && this.#theirs !== undefined && this.#theirs.hash !== this.#base?.hash;
  }

  /** The gateway told what is there. An untouched text goes along. */
  arrived(version: TextVersion): void {
    this.#theirs = version;
    if (!this.isChanged || version.text === this.#mine) this.begin(version);
    else if (version.text === this.#base?.text) this.adopt();
  }

  type(text: string): void {
    const wasChanged = this.isChanged;
    this.#mine = text;
    if (wasChanged) this.#keepSoon();
    else this.#keep();
  }

  /** From here on. */
  begin(version: TextVersion): void {
    this.#base = version;
    this.#theirs = version;
    this.#mine = version.text;
    this.#keep();
  }

  /** Keeps what was typed, on top of what is there now. */
  adopt(text = this.#mine): void {
    this.#base = this.#theirs ?? this.#base;
    this.#mine = text;
    this.#keep();
  }

  /** Both works together, now on top of what is there. */
  merge(marks: MergeMarks): Merged {
    const [base, theirs] = [this.#base?.text ?? "", this.#theirs?.text ?? ""];
    const merged = merge(base, this.#mine, theirs, marks);
    this.adopt(merged.text);
    return merged;
  }

  #keepSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(this.#keep, quietMs);
    addEventListener("pagehide", this.#keep);
  }

  readonly #keep = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    removeEventListener("pagehide", this.#keep);
    const base = this.#base;
    const text = base && this.isChanged ? JSON.stringify({ base, mine: this.#mine } satisfies Kept) : undefined;
    rememberHere(prefix + this.#name, text);
  };
}

/** The names below `start` of texts that were typed and not saved. */
export function keptDrafts(start: string): string[] {
  return namesHere(prefix + start).map((name) => name.slice(prefix.length));
}

function read(name: string): Kept | undefined {
  try {
    const kept = JSON.parse(rememberedHere(prefix + name) ?? "null") as Kept | null;
    return typeof kept?.mine === "string" && typeof kept.base?.text === "string" ? kept : undefined;
  } catch {
    return undefined;
  }
}
