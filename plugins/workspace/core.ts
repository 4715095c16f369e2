/**
 * The workspace at work, made when it is first needed: files with versions, prompt documents, memory and its search,
 * uploads. The service and the HTTP routes are thin faces over it.
 */
import { mkdirSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import {
  type Attachment,
  type Files,
  GatewayError,
  type Logger,
  type MemoryHit,
  Pacer,
  type Store,
  type Workspace,
  type WorkspaceDocument,
  type WorkspaceFile,
} from "@chela/sdk";
import { findAttachment } from "./attachments.ts";
import { bootstrap } from "./documents/bootstrap.ts";
import { type Made, readMade } from "./documents/made.ts";
import { allDocuments } from "./documents/names.ts";
import { type PromptParts, promptDocuments, recentMemory } from "./documents/prompt.ts";
import { PromptMemo } from "./documents/prompt-memo.ts";
import { templates } from "./documents/templates.ts";
import { TextCache } from "./documents/text-cache.ts";
import { Notes } from "./memory/notes.ts";
import { MemorySearch } from "./memory/search.ts";
import { cleanPath, memoryFolder } from "./paths.ts";
import type { Place } from "./place.ts";
import { dayMs, megabyte, type WorkspaceSettings } from "./settings.ts";
import { type Condition, hashOf, Tree, textOf } from "./tree.ts";
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
  /** A path below the workspace has changed; without one: all may have. */
  told(path?: string): void;
}

export class Core implements Omit<Workspace, "root" | "folder"> {
  readonly tree: Tree;
  readonly notes: Notes;
  readonly #parts: CoreParts;
  readonly #cache: TextCache;
  readonly #search: MemorySearch;
  readonly #prompts: { readonly documents: PromptMemo; readonly memory: PromptMemo };
  #made: Made;
  #uploads: UploadFolder | undefined;

  constructor(parts: CoreParts, made: Made) {
    this.#parts = parts;
    this.#made = made;
    this.tree = new Tree({
      files: parts.files,
      root: () => parts.place.root(),
      usable: () => parts.place.usable(),
      changed: (path) => this.#stale(path),
    });
    this.notes = new Notes(this.tree, parts.now);
    this.#cache = new TextCache(this.tree);
    this.#search = new MemorySearch({ ...parts, tree: this.tree, notes: this.notes, pacer: new Pacer() });
    const prompt: PromptParts = {
      text: (path) => this.#cache.get(path),
      untouched: (name, text) => this.#untouched(name, text),
      caps: () => ({ each: parts.settings().prompt.doc_chars, total: parts.settings().prompt.total_chars }),
      now: parts.now,
    };
    const state = () => [this.#cache.changes, parts.settings(), this.#made];
    this.#prompts = {
      documents: new PromptMemo(state, (agent) => promptDocuments(prompt, agent)),
      memory: new PromptMemo(state, (agent) => recentMemory(prompt, agent)),
    };
  }

  /** Made with the first upload or reference to one. */
  get uploads(): UploadFolder {
    const { dataDir, settings } = this.#parts;
    this.#uploads ??= new UploadFolder(uploadDir(dataDir), () => limitsOf(settings()));
    return this.#uploads;
  }

  documents(agent?: string): Promise<readonly WorkspaceDocument[]> {
    return this.#prompts.documents.get(agent);
  }

  recall(agent?: string): Promise<readonly WorkspaceDocument[]> {
    return this.#prompts.memory.get(agent);
  }

  async list(what: "documents" | "memory"): Promise<readonly WorkspaceFile[]> {
    if (what === "memory") return (await this.notes.all()).filter(({ path }) => path.startsWith(`${memoryFolder}/`));
    const facts = await Promise.all(allDocuments.map((name) => this.notes.facts(name)));
    return facts.filter((one) => one !== undefined);
  }

  async read(path: string): Promise<string | undefined> {
    const file = await this.tree.read(cleanPath(path));
    return file && textOf(file.bytes).text;
  }

  async write(path: string, content: string): Promise<void> {
    await this.tree.write(cleanPath(path), content);
  }

  alone<T>(path: string, work: () => Promise<T>): Promise<T> {
    return this.tree.alone(path, work);
  }

  /** False when nothing was there. What is known of its text goes with it. */
  async remove(path: string, condition: Condition): Promise<boolean> {
    const removed = await this.tree.remove(path, condition);
    if (removed) await this.#search.forget(path);
    return removed;
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

  async keep(name: string, bytes: Uint8Array): Promise<Attachment> {
    const most = this.#parts.settings().uploads.max_mb * megabyte;
    if (bytes.length > most) throw new GatewayError("FILE_TOO_LARGE", 413, `${bytes.length} bytes; at most ${most}`);
    const upload = await this.uploads.keep(name, bytes);
    return (await this.attachment(this.uploads.pathOf(upload))) as Attachment;
  }

  /** Absolute paths that somebody else changed; without any: everything may have. */
  changed(paths?: readonly string[]): void {
    if (!paths) this.#stale();
    for (const absolute of paths ?? []) this.#stale(relative(this.tree.root, absolute).split(sep).join("/"));
  }

  /** Nothing here believes any more what it knew of this path, or of all. */
  #stale(path?: string): void {
    this.#cache.forget(path);
    this.#search.stale(path);
    this.#parts.told(path);
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
