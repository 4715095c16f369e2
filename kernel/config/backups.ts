/** The last 20 versions of the config file, bytes as they were. An id is a time: ids sort by age and never repeat. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Backup, GatewayError } from "@chela/sdk";
import { codeOf, writeFileAtomic } from "../disk/files.ts";
import { decode, hashOf } from "./document.ts";

const kept = 20;
const idPattern = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z$/;

export class Backups {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps `content`, unless the newest backup is the same. Only the holder of the config's lock calls this. */
  async add(content: string | Uint8Array): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const names = this.#names();
    const ids = idsAmong(names);
    const newest = ids[0];
    const last = newest === undefined ? undefined : this.#bytes(newest);
    if (last && hashOf(last) === hashOf(content)) return;
    const id = idOf(Math.max(Date.now(), newest === undefined ? 0 : timeOf(newest) + 1));
    // A kill cannot take it; only a power cut could, and then the config itself is still one version or the other.
    await writeFileAtomic(this.#file(id), content, { durable: false });
    for (const old of [id, ...ids].slice(kept)) rmSync(this.#file(old), { force: true });
    const drafts = names.filter((name) => name.endsWith(".tmp"));
    for (const draft of drafts) rmSync(join(this.#folder, draft), { force: true });
  }

  /** Newest first. */
  list(): readonly Backup[] {
    const rows: Backup[] = [];
    for (const id of idsAmong(this.#names())) {
      const bytes = this.#bytes(id);
      if (bytes) rows.push({ id, at: timeOf(id), bytes: bytes.length, hash: hashOf(bytes) });
    }
    return rows;
  }

  /** The text of one backup. Throws `CONFIG_BACKUP` 404. */
  read(id: string): string {
    const bytes = idPattern.test(id) ? this.#bytes(id) : undefined;
    if (bytes) return decode(bytes);
    const shown = JSON.stringify(id.slice(0, 60));
    throw new GatewayError("CONFIG_BACKUP", 404, `there is no backup ${shown}; \`chela config backups\` lists them`);
  }

  /** The given id, or the newest backup whose content is not `hash`. Throws `CONFIG_BACKUP` 404. */
  pick(id: string | undefined, hash: string): string {
    if (id !== undefined) return id;
    const other = this.list().find((row) => row.hash !== hash);
    if (other) return other.id;
    throw new GatewayError("CONFIG_BACKUP", 404, "there is no backup of the config yet; every write makes one");
  }

  /** Undefined when it is gone. */
  #bytes(id: string): Uint8Array | undefined {
    try {
      return readFileSync(this.#file(id));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

/** Newest first. */
function idsAmong(names: readonly string[]): string[] {
  const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  const sorted = ids.filter((id) => idPattern.test(id) && Number.isFinite(timeOf(id))).sort();
  return sorted.reverse();
}

function idOf(time: number): string {
  return new Date(time).toISOString().replace(/[-:.]/g, "");
}

function timeOf(id: string): number {
  return Date.parse(id.replace(idPattern, "$1-$2-$3T$4:$5:$6.$7Z"));
}
