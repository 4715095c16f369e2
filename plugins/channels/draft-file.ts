/** The file of the drafts: 0600, replaced as a whole. One that cannot be understood is set aside, never written over. */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { type Files, GatewayError, isObject, jsonOf, messageOf } from "@chela/sdk";
import type { Tree } from "./settings-tree.ts";

/** By channel. */
export type DraftTable = ReadonlyMap<string, Tree>;

const name = "drafts.json";
const asideName = "drafts.damaged.json";
/** More than the largest drafts of all channels together. */
const maxBytes = 2.5 * 1024 * 1024;
const version = 1;

export class DraftFile {
  readonly #folder: string;
  readonly #files: Files;

  constructor(folder: string, files: Files) {
    this.#folder = folder;
    this.#files = files;
  }

  /** `check` throws for what no draft can hold. Throws `CHANNEL_DRAFTS_DAMAGED` once a damaged file is out of the way. */
  async read(check: (drafts: Tree) => void): Promise<DraftTable> {
    try {
      const bytes = await this.#files.read(this.#folder, name, maxBytes);
      return bytes ? parsed(bytes.toString("utf8"), check) : new Map();
    } catch (cause) {
      if (isOfTheSystem(cause)) throw cause;
      const aside = join(this.#folder, asideName);
      await rename(join(this.#folder, name), aside);
      const message = `the drafts of channel settings could not be read (${messageOf(cause)}); their file is now ${aside}`;
      throw new GatewayError("CHANNEL_DRAFTS_DAMAGED", 500, message, undefined, { cause });
    }
  }

  async write(drafts: DraftTable): Promise<void> {
    // Indented it could be many times as long as what the drafts may have.
    const text = JSON.stringify({ version, drafts: Object.fromEntries(drafts) });
    try {
      if (drafts.size === 0) await this.#files.remove(this.#folder, name);
      else await this.#files.write(this.#folder, name, `${text}\n`, { mode: 0o600 });
    } catch (cause) {
      const full = isOfTheSystem(cause) && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
      const message = `${join(this.#folder, name)} cannot be written (${messageOf(cause)}); the drafts are as they were`;
      throw new GatewayError("CHANNEL_DRAFTS_UNWRITABLE", full ? 507 : 500, message, undefined, { cause });
    }
  }
}

function parsed(text: string, check: (drafts: Tree) => void): DraftTable {
  // The parser's own message would quote the file.
  const whole = jsonOf(text);
  if (!isObject(whole) || whole.version !== version || !isObject(whole.drafts))
    throw new TypeError(`it is no file of drafts of version ${version}`);
  check(whole.drafts);
  return new Map(Object.entries(whole.drafts).filter((entry): entry is [string, Tree] => isObject(entry[1])));
}

/** Such an error says nothing about what is in the file. */
function isOfTheSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
