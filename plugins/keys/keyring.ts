/**
 * The key file's format and every rule about keys, as pure functions: nothing here reads a clock or a disk. A key's text
 * is `chela_<id>_<43 random characters>`; the file holds its SHA-256 and never the text.
 */
import { createHash, randomBytes } from "node:crypto";
import { allows, GatewayError, type Identity, type Scope } from "@chela/sdk";
import { type KeyLimits, limitsFrom, unlimited, type WantedLimits, withLimits } from "./limits.ts";

export interface KeyRecord {
  /** `k_` and ten letters or digits. */
  readonly id: string;
  readonly name: string;
  /** What a person may see of the key: `chela_k_…_ab`. */
  readonly prefix: string;
  /** SHA-256 of the whole text, hex. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** Identity that made it. */
  readonly createdBy: string;
  /** Milliseconds since 1970, like all times here. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly limits: KeyLimits;
}

export interface Keyring {
  readonly version: 1;
  readonly keys: readonly KeyRecord[];
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number | null;
  readonly limits?: WantedLimits;
}

export const emptyKeyring: Keyring = Object.freeze({ version: 1, keys: Object.freeze([]) });

const scopeOrder: readonly Scope[] = ["read", "write", "admin"];
const maxLive = 1000;
const keptRevoked = 100;
const idShape = /^k_[a-z0-9]{10}$/;
const keyShape = /^chela_(k_[a-z0-9]{10})_[A-Za-z0-9_-]{43}$/;
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export type KeyState = "active" | "expired" | "revoked";

export function stateOf(key: KeyRecord, now: number): KeyState {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt !== null && key.expiresAt <= now ? "expired" : "active";
}

/** The id inside a key's text, or undefined when it is no key of ours. */
export function idIn(text: string): string | undefined {
  return keyShape.exec(text)?.[1];
}

/** Of who presents the key. */
export function identityIdOf({ id }: Pick<KeyRecord, "id">): string {
  return `key:${id}`;
}

/** Others may know keys of their own. */
export function isOfKey({ kind, id }: Identity): boolean {
  return kind === "key" && id.startsWith("key:") && idShape.test(id.slice("key:".length));
}

/** Makes a key for `maker`. Throws 400, 403 when it would be able to do more than its maker, 409 when the name is taken. */
export function addKey(
  ring: Keyring,
  wanted: NewKey,
  maker: Identity,
  now: number,
): { ring: Keyring; record: KeyRecord; key: string } {
  const name = wanted.name.trim();
  const scopes = scopeOrder.filter((scope) => wanted.scopes.includes(scope));
  if (name === "" || name.length > 64 || /[\p{Cc}\p{Cf}]/u.test(name) || idShape.test(name)) {
    throw new GatewayError("KEY_NAME", 400, "name must be 1 to 64 printable characters, and not look like a key's id");
  }
  if (scopes.length === 0)
    throw new GatewayError("KEY_SCOPES", 400, "scopes must name at least one of read, write, admin");
  const beyond = scopes.filter((scope) => !allows(maker, scope));
  if (beyond.length > 0) {
    throw new GatewayError(
      "KEY_SCOPES",
      403,
      `a key cannot do more than who makes it; you do not have ${beyond.join(", ")}`,
    );
  }
  if (wanted.expiresAt !== null && wanted.expiresAt <= now)
    throw new GatewayError("KEY_EXPIRES", 400, "expires must be in the future");
  const live = ring.keys.filter((key) => stateOf(key, now) !== "revoked");
  if (live.some((key) => key.name === name))
    throw new GatewayError("KEY_EXISTS", 409, `there is a key named "${name}"; revoke it first or choose another name`);
  if (live.length >= maxLive) throw new GatewayError("KEY_LIMIT", 409, `there are ${maxLive} keys; revoke some first`);
  const { id, key } = newText();
  const record: KeyRecord = {
    id,
    name,
    prefix: key.slice(0, 21),
    hash: createHash("sha256").update(key).digest("hex"),
    scopes,
    createdBy: maker.id,
    createdAt: now,
    expiresAt: wanted.expiresAt,
    lastUsedAt: null,
    revokedAt: null,
    limits: withLimits(unlimited, wanted.limits ?? {}),
  };
  return { ring: tidy({ version: 1, keys: [...ring.keys, record] }), record, key };
}

/** Changes what a live key may use. Throws 400, 404. */
export function limitKey(ring: Keyring, idOrName: string, wanted: WantedLimits): { ring: Keyring; record: KeyRecord } {
  const record = ring.keys.find((key) => key.revokedAt === null && (key.id === idOrName || key.name === idOrName));
  if (!record) throw unknownKey(idOrName);
  const limited = { ...record, limits: withLimits(record.limits, wanted) };
  return { ring: { version: 1, keys: ring.keys.map((key) => (key === record ? limited : key)) }, record: limited };
}

/** Ends the key of that id or name. Doing it twice changes nothing; a name nobody ever had is 404. */
export function revokeKey(
  ring: Keyring,
  idOrName: string,
  now: number,
): { ring: Keyring; record: KeyRecord; changed: boolean } {
  const named = ring.keys.filter((key) => key.id === idOrName || key.name === idOrName);
  const record = named.find((key) => key.revokedAt === null) ?? named.at(-1);
  if (!record) throw unknownKey(idOrName);
  if (record.revokedAt !== null) return { ring, record, changed: false };
  const revoked = { ...record, revokedAt: now };
  return {
    ring: tidy({ version: 1, keys: ring.keys.map((key) => (key === record ? revoked : key)) }),
    record: revoked,
    changed: true,
  };
}

/** With newer times of last use; keys that are gone meanwhile stay gone. */
export function withLastUse(ring: Keyring, used: ReadonlyMap<string, number>): Keyring {
  const keys = ring.keys.map((key) => {
    const at = used.get(key.id);
    return at !== undefined && at > (key.lastUsedAt ?? 0) ? { ...key, lastUsedAt: at } : key;
  });
  return { version: 1, keys };
}

/** `30d`, `12h`, `15m`, `2w`, `90s`, or a date; undefined is never. */
export function expiryFrom(text: string | undefined, now: number): number | null {
  if (text === undefined || text.trim() === "" || text.trim() === "never") return null;
  const span = /^(\d{1,6})([smhdw])$/.exec(text.trim());
  const at = span ? now + Number(span[1]) * (unitMs[span[2] as string] as number) : Date.parse(text.trim());
  if (Number.isFinite(at) && Math.abs(at) <= 8.64e15) return at;
  throw new GatewayError("KEY_EXPIRES", 400, "expires must be a span such as 30d or 12h, or a date such as 2027-01-31");
}

/** Throws `KEYS_DAMAGED` unless every row is one that these functions could have written. */
export function parseKeyring(text: string): Keyring {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged("it is not JSON");
  }
  const { version, keys } = (typeof value === "object" && value !== null ? value : {}) as {
    version?: unknown;
    keys?: unknown;
  };
  if (version !== 1) throw damaged(`its version is ${JSON.stringify(version)}; this program reads version 1`);
  if (!Array.isArray(keys)) throw damaged("`keys` is not a list");
  const rows = keys.map(recordFrom);
  if (new Set(rows.map(({ id }) => id)).size !== rows.length) throw damaged("two keys have the same id");
  return { version: 1, keys: rows };
}

export function renderKeyring(ring: Keyring): string {
  return `${JSON.stringify(ring, null, 2)}\n`;
}

function recordFrom(row: unknown, index: number): KeyRecord {
  const r = (typeof row === "object" && row !== null ? row : {}) as Record<string, unknown>;
  const text = (key: string, shape: RegExp): string => {
    const value = r[key];
    if (typeof value === "string" && shape.test(value)) return value;
    throw damaged(`keys[${index}].${key} is not right`);
  };
  const time = (key: string): number | null => {
    const value = r[key] ?? null;
    if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
    throw damaged(`keys[${index}].${key} is not a time`);
  };
  const { scopes } = r;
  const limits = limitsFrom(r.limits);
  if (!limits) throw damaged(`keys[${index}].limits is not right`);
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every((scope) => scopeOrder.includes(scope))) {
    throw damaged(`keys[${index}].scopes is not right`);
  }
  return {
    id: text("id", idShape),
    name: text("name", /^.{1,64}$/su),
    prefix: text("prefix", /^[\w-]{0,32}$/),
    hash: text("hash", /^[0-9a-f]{64}$/),
    scopes: scopes as readonly Scope[],
    createdBy: text("createdBy", /^.{0,512}$/su),
    createdAt: time("createdAt") ?? 0,
    expiresAt: time("expiresAt"),
    lastUsedAt: time("lastUsedAt"),
    revokedAt: time("revokedAt"),
    limits,
  };
}

function unknownKey(idOrName: string): GatewayError {
  return new GatewayError("KEY_UNKNOWN", 404, `there is no key "${idOrName}"; keys.list names them`);
}

function damaged(why: string): GatewayError {
  return new GatewayError("KEYS_DAMAGED", 500, `the key file is damaged: ${why}; restore it or remove it`);
}

function newText(): { id: string; key: string } {
  const id = `k_${[...randomBytes(10)].map((byte) => "abcdefghijklmnopqrstuvwxyz012345"[byte & 31]).join("")}`;
  return { id, key: `chela_${id}_${randomBytes(32).toString("base64url")}` };
}

/** Forgets the oldest revoked keys. */
function tidy(ring: Keyring): Keyring {
  const revoked = ring.keys
    .filter((key) => key.revokedAt !== null)
    .sort((a, b) => (b.revokedAt as number) - (a.revokedAt as number));
  const forgotten = new Set(revoked.slice(keptRevoked));
  return forgotten.size === 0 ? ring : { version: 1, keys: ring.keys.filter((key) => !forgotten.has(key)) };
}
