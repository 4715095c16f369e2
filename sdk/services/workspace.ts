/** The workspace: the folder that agents and people share. Documents, memory, uploads; nothing leaves it by a link. */
import { defineService } from "../service.ts";

/** A document for the prompt. */
export interface WorkspaceDocument {
  /** `AGENTS.md`, `memory/2026-11-21.md`. */
  readonly path: string;
  readonly content: string;
}

/** A text of the workspace, not read yet. */
export interface WorkspaceFile {
  /** Below the workspace. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** A passage that was found in the memory. */
export interface MemoryHit {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly text: string;
  /** Higher is better. */
  readonly score: number;
}

/** A file that a message may name. */
export interface Attachment {
  /** Absolute, below the uploads or the workspace. */
  readonly path: string;
  readonly name: string;
  /** MIME type by content where it shows, else by name. */
  readonly type: string;
  readonly size: number;
  /** An upload, whose path nobody can guess; else a file of the workspace. */
  readonly isUpload: boolean;
  /** Its bytes, as long as it is still a file in its place: whatever was put there meanwhile is `PATH_REFUSED`, `NOT_A_FILE` or undefined. */
  read(maxBytes: number): Promise<Uint8Array | undefined>;
}

/**
 * Provided by the plugin `workspace`. `agent` chooses the folder of a subagent's own memory; absent: the main one. Changes of
 * what `list` tells are an event: `workspace_changed` {paths}, two a second at most; `paths` is empty where all may have changed.
 */
export interface Workspace {
  /** Absolute, free of links. */
  root(): string;
  /** The same, for whoever works in it: throws `WORKSPACE_REFUSED` where no folder is and none can be made. */
  folder(): string;
  /** What every prompt begins with, in order: AGENTS, BOOT, SOUL, USER, IDENTITY, TOOLS; capped. Answered from memory. */
  documents(agent?: string): Promise<readonly WorkspaceDocument[]>;
  /** MEMORY.md and the notes of today and yesterday; capped. Answered from memory. */
  recall(agent?: string): Promise<readonly WorkspaceDocument[]>;
  /** What is there, by path: the documents, or every Markdown file of the main memory. */
  list(what: "documents" | "memory"): Promise<readonly WorkspaceFile[]>;
  /** Undefined when nothing is there. Throws `PATH_REFUSED`, `FILE_TOO_LARGE`. */
  read(path: string): Promise<string | undefined>;
  /** Durable when it resolves. */
  write(path: string, content: string): Promise<void>;
  /** Does `work` while nobody else changes this file through the gateway; not to be used within it. */
  alone<T>(path: string, work: () => Promise<T>): Promise<T>;
  /** A file of the memory, by its path below `memory/`; `MEMORY.md` means `memory/MEMORY.md`, else the one in the root. */
  readMemory(path: string, agent?: string): Promise<string | undefined>;
  /** Adds to today's note (`path` absent) or to a file of the memory, on lines of its own. Returns its path. */
  remember(text: string, path?: string, agent?: string): Promise<string>;
  searchMemory(words: string, limit: number, agent?: string): Promise<readonly MemoryHit[]>;
  /** The file that `[file: REF]` means: a path of an upload or of the workspace; undefined when it is neither. */
  attachment(ref: string): Promise<Attachment | undefined>;
  /** Keeps bytes as an upload, within the limits of uploads. Throws `FILE_TOO_LARGE` 413, `UPLOAD_QUOTA` and `UPLOAD_STORE` 507. */
  keep(name: string, bytes: Uint8Array): Promise<Attachment>;
}

/** Name it in `needs`. */
export const workspace = defineService<Workspace>("workspace", "1.0.0");
