/** Files below a folder (provided by the host): the one path resolver and the one atomic write. */
import { defineService } from "../service.ts";

/** Text or bytes of a file, and what is known of it. */
export interface FileFacts {
  /** Absolute, free of links. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/**
 * `path` is relative, written with `/`, and stays below `root` once every link is followed; else `PATH_REFUSED` 400.
 * What is there but is no regular file (a folder, a pipe, a device) is `NOT_A_FILE` 400.
 */
export interface Files {
  /** Absolute, free of links; it need not exist yet. */
  resolve(root: string, path: string): Promise<string>;
  /** Undefined when nothing is there. */
  facts(root: string, path: string): Promise<FileFacts | undefined>;
  /** Undefined when nothing is there. More than `maxBytes` is `FILE_TOO_LARGE` 413. Opened without following a link. */
  read(root: string, path: string, maxBytes: number): Promise<Buffer | undefined>;
  /**
   * Replaces the file as a whole, durably: a reader, or a start after a crash, sees the old one or the new one. Makes its folders.
   * Links that stay inside are followed. `mode` by default: the one it has, a new file is its owner's alone (0600). `named`: the
   * operator named this very file in the config, so that it may lie among the gateway's own; never for what others asked for.
   */
  write(
    root: string,
    path: string,
    bytes: string | Uint8Array,
    options?: { readonly mode?: number; readonly named?: boolean },
  ): Promise<FileFacts>;
  /** False when nothing was there. */
  remove(root: string, path: string): Promise<boolean>;
}

/** Name it in `needs`. */
export const files = defineService<Files>("files", "1.0.0");
