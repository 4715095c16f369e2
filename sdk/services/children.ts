/** Child processes (provided by the host): argv arrays, environments by allowlist, and an end that takes the whole group along. */
import type { Readable, Writable } from "node:stream";
import { defineService } from "../service.ts";

/** What to start. */
export interface ChildSpec {
  /** The program; found in PATH when it has no slash. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** Added to the allowlist of our own environment. Names that choose what code is loaded (`NODE_OPTIONS`, `LD_PRELOAD` …) are refused. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How long it may run and how much it may say. */
export interface ChildLimits {
  readonly timeoutMs: number;
  /** Of stdout and of stderr, each; what comes after it is dropped and counted. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Written to its stdin, which is then closed. */
  readonly input?: string;
}

/** What came of it. */
export interface ChildOutcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes that were dropped from both. */
  readonly dropped: number;
  /** Why we ended it, or empty. */
  readonly ended: "" | "timeout" | "aborted";
  readonly ms: number;
}

/** A child that runs. Its plugin's scope ends it. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once it and its group are gone; never rejects. */
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** SIGTERM to the group, SIGKILL after `graceMs` (default 2000). Resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts children. Throws `CHILD_NOT_FOUND` 404 when there is no such program, `CHILD_ENV` 400 for a refused name. */
export interface Children {
  /** To its end, within limits. */
  run(spec: ChildSpec, limits: ChildLimits): Promise<ChildOutcome>;
  start(spec: ChildSpec): Promise<Child>;
  /** Absolute path of a program in PATH, or undefined. */
  which(command: string): Promise<string | undefined>;
}

/** Name it in `needs`. */
export const children = defineService<Children>("children", "1.0.0");
