/**
 * Which notes a memory has, as far as the index is concerned: looked up as a whole now and then, and file by file when
 * something is said to have changed. One look at a time per memory.
 */
import { posix } from "node:path";
import { BoundedMap, KeyedLock, type Pacer, type Store } from "@chela/sdk";
import { homeOf, longTerm, memoryOf, namespaceOf } from "../paths.ts";
import type { Tree } from "../tree.ts";
import { NoteIndex, type NoteSource } from "./note-index.ts";
import { readNotes } from "./note-texts.ts";
import type { NoteFacts, Notes } from "./notes.ts";

export interface KnownParts {
  readonly tree: Tree;
  readonly notes: Notes;
  readonly signal: AbortSignal;
  readonly pacer: Pacer;
}

/** One memory since it was first asked for. */
interface Memory {
  notes: Map<string, NoteFacts>;
  root: string;
  lookedAt: number;
  /** Files that changed since. */
  readonly dirty: Set<string>;
  /** Single files do not tell what changed. */
  unknown: boolean;
}

/** Changes are told by the watcher; this is for disks that cannot be watched. */
const lookEveryMs = 60_000;
/** Single files that changed, above which all are looked at. */
const mostDirty = 200;
/** One that was forgotten is looked up as a whole again: names of agents come from outside. */
const mostMemories = 64;

export class KnownNotes {
  readonly index: NoteIndex;
  readonly #parts: KnownParts;
  readonly #locks = new KeyedLock();
  readonly #memories = new BoundedMap<string, Memory>(mostMemories);

  constructor(store: Store, parts: KnownParts) {
    this.index = new NoteIndex(store);
    this.#parts = parts;
  }

  /** A path below the workspace, or everything. */
  stale(path?: string): void {
    for (const memory of this.#memories.values()) {
      // A folder that came or went is told by its name alone.
      if (path === undefined || !path.endsWith(".md") || memory.dirty.size >= mostDirty) memory.unknown = true;
      else memory.dirty.add(path);
    }
  }

  /** The paths of a memory, once its index is up to date. */
  upToDate(agent: string | undefined): Promise<readonly string[]> {
    const namespace = namespaceOf(agent);
    const memory = this.#memories.get(namespace) ?? {
      notes: new Map(),
      root: "",
      lookedAt: 0,
      dirty: new Set(),
      unknown: true,
    };
    this.#memories.set(namespace, memory);
    return this.#locks.run(namespace, async () => {
      const { root } = this.#parts.tree;
      const old = memory.root !== root || performance.now() - memory.lookedAt > lookEveryMs;
      try {
        if (old || memory.unknown) await this.#look(memory, root, agent);
        await this.#renew(memory, agent);
      } catch (error) {
        memory.unknown = true;
        throw error;
      }
      return [...memory.notes.keys()];
    });
  }

  /** What changes while this goes on is dirty afterwards. */
  async #look(memory: Memory, root: string, agent: string | undefined): Promise<void> {
    memory.unknown = false;
    memory.dirty.clear();
    memory.root = root;
    memory.lookedAt = performance.now();
    const notes = await this.#parts.notes.all(agent);
    memory.notes = new Map(notes.map((note) => [note.path, note]));
    await this.index.sync(notes, (path) => isNote(path, agent), this.#source(root));
  }

  async #renew(memory: Memory, agent: string | undefined): Promise<void> {
    const dirty = [...memory.dirty].filter((path) => isNote(path, agent));
    memory.dirty.clear();
    const changed: NoteFacts[] = [];
    for (const path of dirty) {
      const note = await this.#parts.notes.facts(path);
      if (note) {
        changed.push(note);
        memory.notes.set(path, note);
      } else if (memory.notes.delete(path)) await this.index.forget(path);
    }
    if (changed.length > 0) await this.index.renew(changed, this.#source(memory.root));
  }

  #source(root: string): NoteSource {
    const { tree, signal, pacer } = this.#parts;
    const pace = pacer.pace(signal);
    return { root, signal, pace, read: (paths) => readNotes(tree, paths, pace) };
  }
}

function isNote(path: string, agent: string | undefined): boolean {
  return path.startsWith(`${memoryOf(agent)}/`) || path === posix.join(homeOf(agent), longTerm);
}
