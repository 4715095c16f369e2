/** The workspace: the folder that agents and people share. Documents, memory, uploads; nothing leaves it by a link. */
import { defineService } from "../service.ts";

/** A document for the prompt. */
export interface WorkspaceDocument {
  /** `AGENTS.md`, `memory/2026-11-21.md`. */
  readonly path: string;
  readonly content: string;
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
}

/** Provided by the plugin `workspace`. `agent` chooses the folder of a subagent's own memory; absent: the main one. */
export interface Workspace {
  /** Absolute, free of links. */
  root(): string;
  /** What every prompt begins with, in order: AGENTS, BOOT, SOUL, USER, IDENTITY, TOOLS; capped. Answered from memory. */
  documents(agent?: string): Promise<readonly WorkspaceDocument[]>;
  /** MEMORY.md and the notes of today and yesterday; capped. Answered from memory. */
  recall(agent?: string): Promise<readonly WorkspaceDocument[]>;
  /** Undefined when nothing is there. Throws `PATH_REFUSED`, `FILE_TOO_LARGE`. */
  read(path: string): Promise<string | undefined>;
  /** Durable when it resolves. */
  write(path: string, content: string): Promise<void>;
  /** A file of the memory, by its path below `memory/`; `MEMORY.md` means `memory/MEMORY.md`, else the one in the root. */
  readMemory(path: string, agent?: string): Promise<string | undefined>;
  /** Adds to today's note (`path` absent) or to a file of the memory, on lines of its own. Returns its path. */
  remember(text: string, path?: string, agent?: string): Promise<string>;
  searchMemory(words: string, limit: number, agent?: string): Promise<readonly MemoryHit[]>;
  /** The file that `[file: REF]` means: a path of an upload or of the workspace; undefined when it is neither. */
  attachment(ref: string): Promise<Attachment | undefined>;
}

/** Name it in `needs`. */
export const workspace = defineService<Workspace>("workspace", "1.0.0");
