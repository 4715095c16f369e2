/**
 * The folder of account files, and the one place that reads, writes and removes them. A file is read whole, never through a
 * link, never above a size, and replaced as a whole: a reader, or a start after a crash, sees the old one or the new one.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { type Files, GatewayError, messageOf } from "@chela/sdk";
import { parseSession, renderSession, type Session } from "./session.ts";
import { expandHome } from "./settings.ts";

/** A file that is an account, or why it is none. */
export type AccountFile =
  | { readonly path: string; readonly stamp: string; readonly session: Session }
  | { readonly path: string; readonly stamp: string; readonly problem: string };

const maxBytes = 256 * 1024;
/** More accounts than this in one gateway are a mistake. */
const maxFiles = 1000;

export class AccountFiles {
  readonly folder: string;
  readonly #files: Files;
  /** What each file held when it last looked like this. */
  readonly #known = new Map<string, AccountFile>();

  constructor(folder: string, files: Files) {
    this.folder = folder;
    this.#files = files;
  }

  /** The `.json` files of the folder, by name. A folder that is not there is empty. */
  list(): readonly string[] {
    try {
      const names = readdirSync(this.folder).filter((name) => /^[^.].*\.json$/.test(name));
      return names
        .sort()
        .slice(0, maxFiles)
        .map((name) => join(this.folder, name));
    } catch {
      return [];
    }
  }

  /** Absolute. A bare name is one of the folder; `~` is a home. */
  pathOf(name: string): string {
    const path = expandHome(name);
    return isAbsolute(path) ? resolve(path) : resolve(this.folder, path);
  }

  /** True for a file that lies right in the folder; only such a one is ever removed. */
  owns(path: string): boolean {
    return dirname(resolve(path)) === this.folder && /^[^.].*\.json$/.test(basename(path));
  }

  /** Undefined when nothing is there. What is there and is no account says why. */
  read(path: string): AccountFile | undefined {
    let stamp = "";
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = lstatSync(path);
      stamp = [dev, ino, size, mtimeMs, ctimeMs].join(":");
      const known = this.#known.get(path);
      if (known?.stamp === stamp) return known;
      const file: AccountFile = { path, stamp, session: parseSession(this.#text(path), basename(path)) };
      this.#known.set(path, file);
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        this.#known.delete(path);
        return undefined;
      }
      const file: AccountFile = { path, stamp, problem: reasonOf(error) };
      this.#known.set(path, file);
      return file;
    }
  }

  /** Durable when it resolves. Throws `OAUTH_UNWRITABLE`; then nothing has changed. */
  async write(path: string, session: Session): Promise<AccountFile> {
    const text = renderSession(session);
    if (Buffer.byteLength(text) > maxBytes)
      throw new GatewayError("OAUTH_IMPORT", 400, `an account file may have ${maxBytes} bytes; this one has more`);
    try {
      if (dirname(path) === this.folder) this.#makeFolder();
      await this.#files.write(dirname(path), basename(path), text, { mode: 0o600, named: true });
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      const full = code === "ENOSPC" || code === "EDQUOT";
      const advice = full ? "free some space" : "check that its folder exists and may be written";
      const message = `the account file ${path} cannot be written (${code}): ${advice}`;
      throw new GatewayError("OAUTH_UNWRITABLE", full ? 507 : 500, message, undefined, { cause });
    }
    const file = this.read(path);
    if (file) return file;
    throw new GatewayError("OAUTH_UNWRITABLE", 500, `the account file ${path} is gone right after it was written`);
  }

  async remove(path: string): Promise<void> {
    this.#known.delete(path);
    await rm(path, { force: true });
  }

  #makeFolder(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    chmodSync(this.folder, 0o700);
  }

  #text(path: string): string {
    if (lstatSync(path).isSymbolicLink()) throw new Error("is a link; links are not followed");
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(fd);
      if (!facts.isFile()) throw new Error("is no regular file");
      if (facts.size > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`);
      // Whoever wrote it by hand may have left it open to everybody.
      if (this.owns(path) && (facts.mode & 0o077) !== 0) fchmodSync(fd, 0o600);
      const buffer = Buffer.alloc(facts.size);
      let size = 0;
      for (let got = 1; got > 0 && size < buffer.length; size += got)
        got = readSync(fd, buffer, size, buffer.length - size, null);
      return buffer.subarray(0, size).toString("utf8");
    } finally {
      closeSync(fd);
    }
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ELOOP") return "is a link; links are not followed";
  if (code === "EACCES" || code === "EPERM") return "may not be read";
  return messageOf(error);
}
