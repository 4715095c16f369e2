import { createHash } from "node:crypto";
import type { Identity } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import {
  addKey,
  emptyKeyring,
  expiryFrom,
  idIn,
  type Keyring,
  parseKeyring,
  renderKeyring,
  revokeKey,
  stateOf,
  withLastUse,
} from "../../../plugins/keys/keyring.ts";

const now = 1_800_000_000_000;
const owner: Identity = { id: "token", name: "token", kind: "token", scopes: ["read", "write", "admin"] };
const writer: Identity = { id: "key:k_a", name: "w", kind: "key", scopes: ["write"] };
const make = (ring: Keyring, name: string, maker = owner) =>
  addKey(ring, { name, scopes: ["read"], expiresAt: null }, maker, now);

describe("making a key", () => {
  test("stores its digest and a visible prefix, never its text", () => {
    const { ring, record, key } = addKey(
      emptyKeyring,
      { name: " ci ", scopes: ["write", "read", "write"], expiresAt: now + 1 },
      owner,
      now,
    );
    expect(key).toMatch(/^chela_k_[a-z0-9]{10}_[A-Za-z0-9_-]{43}$/);
    expect(idIn(key)).toBe(record.id);
    expect(record).toMatchObject({
      name: "ci",
      scopes: ["read", "write"],
      createdBy: "token",
      createdAt: now,
      expiresAt: now + 1,
      lastUsedAt: null,
      revokedAt: null,
    });
    expect(record.hash).toBe(createHash("sha256").update(key).digest("hex"));
    expect(key.startsWith(record.prefix)).toBe(true);
    expect(key.length - record.prefix.length).toBeGreaterThan(40);
    expect(renderKeyring(ring)).not.toContain(key.slice(-20));
  });

  test("never gives more than its maker has", () => {
    expect(
      addKey(emptyKeyring, { name: "a", scopes: ["read", "write"], expiresAt: null }, writer, now).record.scopes,
    ).toEqual(["read", "write"]);
    expect(() => addKey(emptyKeyring, { name: "a", scopes: ["admin"], expiresAt: null }, writer, now)).toThrow(
      expect.objectContaining({ status: 403, message: expect.stringContaining("admin") }),
    );
  });

  test("refuses empty scopes, bad names, a past expiry, a name in use, and one too many", () => {
    const wanted = { name: "a", scopes: ["read"] as const, expiresAt: null };
    expect(() => addKey(emptyKeyring, { ...wanted, scopes: [] }, owner, now)).toThrow("at least one");
    for (const name of ["", "  ", "x".repeat(65), "a\nb", "a\u202eb", "k_abcdefghij"])
      expect(() => addKey(emptyKeyring, { ...wanted, name }, owner, now)).toThrow("name must be");
    expect(() => addKey(emptyKeyring, { ...wanted, expiresAt: now }, owner, now)).toThrow("future");
    const { ring } = make(emptyKeyring, "a");
    expect(() => make(ring, "a")).toThrow(expect.objectContaining({ status: 409 }));
    const full: Keyring = {
      version: 1,
      keys: Array.from({ length: 1000 }, (_, i) => ({ ...(ring.keys[0] as Keyring["keys"][number]), name: `n${i}` })),
    };
    expect(() => make(full, "more")).toThrow("revoke some");
  });
});

describe("revoking", () => {
  test("works by id and by name, twice is no change, an unknown one is 404", () => {
    const one = make(emptyKeyring, "one");
    const two = make(one.ring, "two");
    const first = revokeKey(two.ring, one.record.id, now + 5);
    expect(first).toMatchObject({ changed: true, record: { name: "one", revokedAt: now + 5 } });
    expect(revokeKey(first.ring, "one", now + 9)).toMatchObject({ changed: false, record: { revokedAt: now + 5 } });
    expect(revokeKey(first.ring, "two", now).record.id).toBe(two.record.id);
    expect(() => revokeKey(first.ring, "three", now)).toThrow(expect.objectContaining({ status: 404 }));
  });

  test("frees the name for a new key, which the name then means", () => {
    const old = make(emptyKeyring, "ci");
    const fresh = make(revokeKey(old.ring, "ci", now).ring, "ci");
    expect(revokeKey(fresh.ring, "ci", now).record.id).toBe(fresh.record.id);
  });

  test("forgets the oldest revoked keys, never a live one", () => {
    let ring = make(emptyKeyring, "live").ring;
    for (let i = 0; i < 120; i += 1) ring = revokeKey(make(ring, `n${i}`).ring, `n${i}`, now + i).ring;
    expect(ring.keys).toHaveLength(101);
    expect(ring.keys[0]?.name).toBe("live");
    expect(ring.keys.some(({ name }) => name === "n0")).toBe(false);
  });
});

test("states, expiry and last use", () => {
  const { ring, record } = addKey(emptyKeyring, { name: "a", scopes: ["read"], expiresAt: now + 10 }, owner, now);
  expect([stateOf(record, now + 9), stateOf(record, now + 10), stateOf({ ...record, revokedAt: now }, now)]).toEqual([
    "active",
    "expired",
    "revoked",
  ]);
  expect(
    withLastUse(
      ring,
      new Map([
        [record.id, 7],
        ["k_gone000000", 9],
      ]),
    ).keys,
  ).toEqual([{ ...record, lastUsedAt: 7 }]);
  expect(
    withLastUse({ version: 1, keys: [{ ...record, lastUsedAt: 9 }] }, new Map([[record.id, 7]])).keys[0]?.lastUsedAt,
  ).toBe(9);
  expect(expiryFrom("30d", now)).toBe(now + 30 * 86_400_000);
  expect(expiryFrom("15m", now)).toBe(now + 900_000);
  expect(expiryFrom("2027-01-31", now)).toBe(Date.UTC(2027, 0, 31));
  expect([expiryFrom(undefined, now), expiryFrom("never", now)]).toEqual([null, null]);
  for (const text of ["soon", "30", "-3d", "999999999d", "3y"])
    expect(() => expiryFrom(text, now)).toThrow("expires must be");
});

describe("the file", () => {
  test("is read back as it was written", () => {
    const { ring } = make(make(emptyKeyring, "a").ring, "b");
    expect(parseKeyring(renderKeyring(ring))).toEqual(ring);
  });

  test("that is not what this program writes is refused, whatever it holds", () => {
    const { ring } = make(emptyKeyring, "a");
    const row = ring.keys[0] as Keyring["keys"][number];
    const broken = [
      "",
      "{",
      "null",
      "[]",
      '{"version":2,"keys":[]}',
      '{"version":1,"keys":{}}',
      ...[
        { id: "x" },
        { hash: "00" },
        { scopes: [] },
        { scopes: ["root"] },
        { scopes: "admin" },
        { expiresAt: "never" },
        { name: "" },
        { revokedAt: "no" },
      ].map((change) => JSON.stringify({ version: 1, keys: [{ ...row, ...change }] })),
      JSON.stringify({ version: 1, keys: [row, row] }),
      JSON.stringify({ version: 1, keys: [null] }),
    ];
    for (const text of broken) expect(() => parseKeyring(text), text).toThrow("the key file is damaged");
  });
});
