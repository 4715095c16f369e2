/**
 * The key file and what is known of it: reads it, follows changes by others, writes it as a whole (0600, atomic), and
 * finds the identity of a presented key in memory. A file that cannot be read is never written over; what was last read
 * from it stays in force.
 */
import { timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { type Candidate, type Files, GatewayError, type Identity, KeyedLock, messageOf } from "@chela/sdk";
import {
  emptyKeyring,
  identityIdOf,
  idIn,
  type KeyRecord,
  type Keyring,
  parseKeyring,
  renderKeyring,
  stateOf,
  withLastUse,
} from "./keyring.ts";

interface Known {
  readonly record: KeyRecord;
  readonly hash: Buffer;
  readonly identity: Identity;
  /** For the Referer form: it leaks easily, so it opens what a page loads and no more. */
  readonly reading: Identity;
}

const nobody = Buffer.alloc(32);
const name = "keys.json";
const maxBytes = 64 * 1024 * 1024;

export class KeyStore {
  readonly file: string;
  readonly #dir: string;
  readonly #files: Files;
  #ring: Keyring = emptyKeyring;
  #known: ReadonlyMap<string, Known> = new Map();
  readonly #used = new Map<string, number>();
  /** Changes run one after another. */
  readonly #lock = new KeyedLock();
  #trouble = "";
  /** Somebody lost rights since the last `load` said so. */
  #narrowed = false;

  constructor(dir: string, files: Files) {
    this.#dir = dir;
    this.#files = files;
    this.file = join(dir, name);
  }

  get ring(): Keyring {
    return withLastUse(this.#ring, this.#used);
  }

  /** Why the file is not what is in force; empty while it is. */
  get trouble(): string {
    return this.#trouble;
  }

  /** The identity behind the first candidate that is a live key. Never waits. */
  identify(candidates: readonly Candidate[], now: number): Identity | undefined {
    for (const candidate of candidates) {
      const id = idIn(candidate.value);
      if (id === undefined) continue;
      const known = this.#known.get(id);
      const same = timingSafeEqual(Buffer.from(candidate.digest, "hex"), known?.hash ?? nobody);
      if (!known || !same || stateOf(known.record, now) !== "active") continue;
      this.#used.set(id, now);
      return candidate.transport === "referer" ? known.reading : known.identity;
    }
    return undefined;
  }

  /** A live key by the id of its identity. */
  known(identity: Identity): KeyRecord | undefined {
    return identity.kind === "key" ? this.#known.get(identity.id.slice("key:".length))?.record : undefined;
  }

  /** Reads the file again. True when, since the last time, a key that was in force no longer is or may do less. */
  load(): Promise<boolean> {
    return this.#lock.run(name, async () => {
      try {
        this.#adopt(await this.#read());
        this.#trouble = "";
      } catch (error) {
        this.#trouble = messageOf(error);
      }
      const narrowed = this.#narrowed;
      this.#narrowed = false;
      return narrowed;
    });
  }

  /** Applies `change` to the file as it is on disk now. Throws what `change` throws, and when the file is damaged. */
  update<T extends { readonly ring: Keyring }>(change: (ring: Keyring) => T): Promise<T> {
    return this.#lock.run(name, async () => {
      const before = await this.#read();
      const used = [...this.#used];
      const outcome = change(withLastUse(before, this.#used));
      if (outcome.ring !== before) await this.#write(renderKeyring(outcome.ring));
      this.#adopt(outcome.ring);
      // A key that was used again while the file was written keeps its newer time here.
      for (const [id, at] of used) if (this.#used.get(id) === at) this.#used.delete(id);
      this.#trouble = "";
      return outcome;
    });
  }

  /** Writes times of last use, if there are new ones. */
  async flush(): Promise<void> {
    if (this.#used.size > 0) await this.update((ring) => ({ ring }));
  }

  async #read(): Promise<Keyring> {
    const bytes = await this.#files.read(this.#dir, name, maxBytes);
    return bytes ? parseKeyring(bytes.toString("utf8")) : emptyKeyring;
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#files.write(this.#dir, name, text, { mode: 0o600 });
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      const full = code === "ENOSPC" || code === "EDQUOT";
      const advice = full ? "free some space" : "check that its folder exists and may be written";
      const message = `the key file ${this.file} cannot be written (${code}): ${advice}; nothing was changed`;
      throw new GatewayError("KEYS_UNWRITABLE", full ? 507 : 500, message, undefined, { cause });
    }
  }

  #adopt(ring: Keyring): void {
    const before = this.#known;
    this.#ring = ring;
    this.#known = new Map(ring.keys.map((record) => [record.id, knownOf(record)]));
    this.#narrowed ||= [...before.values()].some(({ record }) => narrowed(record, this.#known.get(record.id)?.record));
  }
}

function knownOf(record: KeyRecord): Known {
  const identity: Identity = Object.freeze({
    id: identityIdOf(record),
    name: record.name,
    kind: "key",
    scopes: Object.freeze([...record.scopes]),
  });
  const reading: Identity = Object.freeze({ ...identity, scopes: Object.freeze(["read" as const]) });
  return { record, hash: Buffer.from(record.hash, "hex"), identity, reading };
}

function narrowed(before: KeyRecord, after: KeyRecord | undefined): boolean {
  if (before.revokedAt !== null) return false;
  if (!after || after.revokedAt !== null || after.hash !== before.hash) return true;
  return after.expiresAt !== before.expiresAt || !before.scopes.every((scope) => after.scopes.includes(scope));
}
