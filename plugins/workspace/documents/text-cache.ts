/**
 * Texts of small files, kept in memory. What was changed here is read again before it is told; what others change is seen by
 * `forget` (a watcher) and by a look at size and time in the background: asking never waits for the disk twice.
 */
import { GatewayError } from "@chela/sdk";
import { readLimit, type Tree, textOf } from "../tree.ts";

interface Entry {
  /** Undefined: nothing is there. */
  text: string | undefined;
  version: string;
  lookedAt: number;
  looking: boolean;
}

const lookEveryMs = 2_000;
const most = 512;

export class TextCache {
  readonly #tree: Pick<Tree, "read" | "facts">;
  readonly #entries = new Map<string, Promise<Entry>>();
  #changes = 0;

  constructor(tree: Pick<Tree, "read" | "facts">) {
    this.#tree = tree;
  }

  /** Grows whenever a text is read or forgotten: what was made of texts before may not be true any more. */
  get changes(): number {
    return this.#changes;
  }

  /** Undefined when nothing is there, or nothing that may be told. */
  async get(path: string): Promise<string | undefined> {
    const known = this.#entries.get(path);
    const entry = await (known ?? this.#load(path));
    if (known) this.#look(path, entry);
    return entry.text;
  }

  /** One path, or all. */
  forget(path?: string): void {
    this.#changes += 1;
    if (path === undefined) this.#entries.clear();
    else this.#entries.delete(path);
  }

  #load(path: string): Promise<Entry> {
    this.#changes += 1;
    if (this.#entries.size >= most) this.#entries.delete(this.#entries.keys().next().value as string);
    const loading = this.#read(path);
    this.#entries.set(path, loading);
    loading.catch(() => this.#drop(path, loading));
    return loading;
  }

  async #read(path: string): Promise<Entry> {
    const lookedAt = performance.now();
    try {
      const file = await this.#tree.read(path);
      const text = file && textOf(file.bytes).text;
      return { text, version: versionOf(file), lookedAt, looking: false };
    } catch (error) {
      return { text: told(error, path), version: "", lookedAt, looking: false };
    }
  }

  /** In the background: the answer that is being given is the one in memory. */
  #look(path: string, entry: Entry): void {
    if (entry.looking || performance.now() - entry.lookedAt < lookEveryMs) return;
    const known = this.#entries.get(path);
    entry.looking = true;
    void this.#tree
      .facts(path)
      .then((facts) => versionOf(facts) === entry.version)
      .catch(() => false)
      .then((same) => {
        entry.looking = false;
        entry.lookedAt = performance.now();
        if (!same && known) this.#drop(path, known);
      });
  }

  #drop(path: string, entry: Promise<Entry>): void {
    if (this.#entries.get(path) !== entry) return;
    this.#changes += 1;
    this.#entries.delete(path);
  }
}

function versionOf(facts: { readonly size: number; readonly modifiedAt: number } | undefined): string {
  return facts ? `${facts.size} ${facts.modifiedAt}` : "";
}

/** A file that is too large is worth a word; a folder or a link that leads out counts as absent. */
function told(error: unknown, path: string): string | undefined {
  if (!GatewayError.is(error) || error.code !== "FILE_TOO_LARGE") return undefined;
  return `[cut] ${path} is larger than ${readLimit} bytes and is left out.`;
}
