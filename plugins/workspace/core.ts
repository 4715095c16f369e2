/**
 * The workspace at work, made when it is first needed: files with versions, prompt documents, memory and its search,
 * uploads. The service and the HTTP routes are thin faces over it.
 */
import { mkdirSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Attachment, Files, Logger, MemoryHit, Store, Workspace, WorkspaceDocument } from "@chela/sdk";
import { findAttachment } from "./attachments.ts";
import { bootstrap } from "./documents/bootstrap.ts";
import { type Made, readMade } from "./documents/made.ts";
import { type PromptParts, promptDocuments, recentMemory } from "./documents/prompt.ts";
import { templates } from "./documents/templates.ts";
import { TextCache } from "./documents/text-cache.ts";
import { Notes } from "./memory/notes.ts";
import { MemorySearch } from "./memory/search.ts";
import { cleanPath } from "./paths.ts";
import type { Place } from "./place.ts";
import { dayMs, megabyte, type WorkspaceSettings } from "./settings.ts";
import { hashOf, Tree, textOf } from "./tree.ts";
import { UploadFolder } from "./uploads/upload-folder.ts";

export interface CoreParts {
  readonly files: Files;
  readonly place: Place;
  readonly dataDir: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  settings(): WorkspaceSettings;
  store(): Store | undefined;
  now(): Date;
}

export class Core implements Omit<Workspace, "root"> {
  readonly tree: Tree;
  readonly notes: Notes;
  readonly #parts: CoreParts;
  readonly #cache: TextCache;
  readonly #search: MemorySearch;
  readonly #prompt: PromptParts;
  #made: Made;
  #uploads: UploadFolder | undefined;

  constructor(parts: CoreParts, made: Made) {
    this.#parts = parts;
    this.#made = made;
    const changed = (path: string) => {
      this.#cache.forget(path);
      this.#search.stale(path);
    };
    this.tree = new Tree({ files: parts.files, root: () => parts.place.root(), changed });
    this.notes = new Notes(this.tree, parts.now);
    this.#cache = new TextCache(this.tree);
    this.#search = new MemorySearch({ ...parts, tree: this.tree, notes: this.notes });
    this.#prompt = {
      text: (path) => this.#cache.get(path),
      untouched: (name, text) => this.#untouched(name, text),
      caps: () => ({ each: parts.settings().prompt.doc_chars, total: parts.settings().prompt.total_chars }),
      now: parts.now,
    };
  }

  /** Made with the first upload or reference to one. */
  get uploads(): UploadFolder {
    const { dataDir, settings } = this.#parts;
    this.#uploads ??= new UploadFolder(uploadDir(dataDir), () => limitsOf(settings()));
    return this.#uploads;
  }

  documents(agent?: string): Promise<readonly WorkspaceDocument[]> {
    return promptDocuments(this.#prompt, agent);
  }

  recall(agent?: string): Promise<readonly WorkspaceDocument[]> {
    return recentMemory(this.#prompt, agent);
  }

  async read(path: string): Promise<string | undefined> {
    const file = await this.tree.read(cleanPath(path));
    return file && textOf(file.bytes).text;
  }

  async write(path: string, content: string): Promise<void> {
    await this.tree.write(cleanPath(path), content);
  }

  async readMemory(path: string, agent?: string): Promise<string | undefined> {
    const file = await this.notes.read(this.notes.path(path, agent), agent);
    return file && textOf(file.bytes).text;
  }

  remember(text: string, path?: string, agent?: string): Promise<string> {
    return this.notes.remember(text, path, agent);
  }

  searchMemory(words: string, limit: number, agent?: string): Promise<readonly MemoryHit[]> {
    return this.#search.find(words, limit, agent);
  }

  attachment(ref: string): Promise<Attachment | undefined> {
    const { files, place } = this.#parts;
    return findAttachment({ files, root: () => place.root(), uploads: () => this.uploads.dir }, ref);
  }

  /** Absolute paths that somebody else changed; without any: everything may have. */
  changed(paths?: readonly string[]): void {
    if (!paths) {
      this.#cache.forget();
      this.#search.stale();
    }
    for (const absolute of paths ?? []) {
      const path = relative(this.tree.root, absolute).split(sep).join("/");
      this.#cache.forget(path);
      this.#search.stale(path);
    }
  }

  /** Makes the first documents where that is wanted and was not done before. */
  async bootstrap(): Promise<void> {
    if (!this.#parts.settings().bootstrap) return;
    const made = await bootstrap({ ...this.#parts, tree: this.tree });
    if (made.length === 0) return;
    this.#made = await readMade(this.#parts.dataDir);
    this.#parts.log.info({ root: this.tree.root, made }, "a new workspace was made");
  }

  #untouched(name: string, text: string): boolean {
    if (text.trim() === templates[name]?.trim()) return true;
    return this.#made[this.tree.root]?.[name] === hashOf(Buffer.from(text));
  }
}

export async function openCore(parts: CoreParts): Promise<Core> {
  return new Core(parts, await readMade(parts.dataDir));
}

function uploadDir(dataDir: string): string {
  const dir = join(dataDir, "uploads");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return realpathSync(dir);
}

function limitsOf({ uploads }: WorkspaceSettings) {
  const { quota_mb, max_count, max_age_days } = uploads;
  return { quotaBytes: quota_mb * megabyte, maxCount: max_count, maxAgeMs: max_age_days * dayMs };
}
