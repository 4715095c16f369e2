import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Candidate, Identity } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { filesService } from "../../../kernel/services/files.ts";
import { KeyStore } from "../../../plugins/keys/key-store.ts";
import { addKey, parseKeyring, renderKeyring, revokeKey } from "../../../plugins/keys/keyring.ts";
import { tempDir } from "../../kit/temp.ts";

const owner: Identity = { id: "token", name: "token", kind: "token", scopes: ["read", "write", "admin"] };
const now = Date.now();

function presented(value: string, transport: Candidate["transport"] = "bearer"): Candidate {
  return { transport, value, digest: createHash("sha256").update(value).digest("hex") };
}

async function storeWith(...names: string[]) {
  const dir = tempDir("keys");
  const store = new KeyStore(dir, filesService);
  await store.load();
  const keys: string[] = [];
  for (const name of names) {
    const { key } = await store.update((ring) =>
      addKey(ring, { name, scopes: ["write"], expiresAt: name === "short" ? now + 1000 : null }, owner, now),
    );
    keys.push(key);
  }
  return { dir, store, keys: keys as [string, ...string[]] };
}

describe("the key store", () => {
  test("finds the identity of a live key among wrong candidates", async () => {
    const { store, keys } = await storeWith("a", "b");
    const id = store.ring.keys[1]?.id;
    expect(store.identify([presented("token"), presented(keys[1] as string)], now)).toEqual({
      id: `key:${id}`,
      name: "b",
      kind: "key",
      scopes: ["write"],
    });
    expect(store.identify([presented(keys[0], "referer")], now)?.scopes).toEqual(["read"]);
    const forged = `${keys[0].slice(0, -1)}${keys[0].endsWith("A") ? "B" : "A"}`;
    for (const value of ["", forged, keys[0].replace(/k_\w{10}/, "k_aaaaaaaaaa"), ` ${keys[0]}`])
      expect(store.identify([presented(value)], now)).toBeUndefined();
  });

  test("knows no expired and no revoked key", async () => {
    const { store, keys } = await storeWith("short", "b");
    expect(store.identify([presented(keys[0])], now + 999)?.name).toBe("short");
    expect(store.identify([presented(keys[0])], now + 1000)).toBeUndefined();
    await store.update((ring) => revokeKey(ring, "b", now));
    expect(store.identify([presented(keys[1] as string)], now)).toBeUndefined();
  });

  test("writes 0600, whole, and leaves no draft behind", async () => {
    const { dir, store } = await storeWith("a");
    expect(statSync(store.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["keys.json"]);
  });

  test("keeps parallel changes apart", async () => {
    const { store } = await storeWith();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.update((ring) => addKey(ring, { name: `n${i}`, scopes: ["read"], expiresAt: null }, owner, now)),
      ),
    );
    expect(parseKeyring(readFileSync(store.file, "utf8")).keys).toHaveLength(20);
  });

  test("a refused change writes nothing and the next one works", async () => {
    const { store } = await storeWith("a");
    const before = readFileSync(store.file, "utf8");
    await expect(
      store.update((ring) => addKey(ring, { name: "a", scopes: ["read"], expiresAt: null }, owner, now)),
    ).rejects.toThrow("there is a key");
    expect(readFileSync(store.file, "utf8")).toBe(before);
    await store.update((ring) => revokeKey(ring, "a", now));
  });

  test("follows another writer, and says when somebody lost rights", async () => {
    const { dir, store, keys } = await storeWith("a", "b");
    const other = new KeyStore(dir, filesService);
    await other.update((ring) => addKey(ring, { name: "c", scopes: ["read"], expiresAt: null }, owner, now));
    expect(await store.load()).toBe(false);
    expect(store.ring.keys).toHaveLength(3);
    await other.update((ring) => revokeKey(ring, "a", now));
    await store.update((ring) => addKey(ring, { name: "d", scopes: ["read"], expiresAt: null }, owner, now));
    expect(await store.load()).toBe(true);
    expect(await store.load()).toBe(false);
    expect(store.identify([presented(keys[0])], now)).toBeUndefined();
    const narrower = store.ring.keys.map((key) => (key.name === "b" ? { ...key, scopes: ["read" as const] } : key));
    writeFileSync(store.file, renderKeyring({ version: 1, keys: narrower }));
    expect(await store.load()).toBe(true);
    expect(store.identify([presented(keys[1] as string)], now)?.scopes).toEqual(["read"]);
  });

  test("a damaged file is said, not written over, and what was read before stays in force", async () => {
    const { store, keys } = await storeWith("a");
    writeFileSync(store.file, "{ half");
    expect(await store.load()).toBe(false);
    expect(store.trouble).toContain("damaged");
    expect(store.identify([presented(keys[0])], now)?.name).toBe("a");
    await expect(store.update((ring) => revokeKey(ring, "a", now))).rejects.toThrow("damaged");
    expect(readFileSync(store.file, "utf8")).toBe("{ half");
  });

  test("last use is kept in memory and written on demand, without bringing a revoked key back", async () => {
    const { dir, store, keys } = await storeWith("a");
    await store.flush();
    const before = readFileSync(store.file, "utf8");
    store.identify([presented(keys[0])], now + 5);
    expect(readFileSync(store.file, "utf8")).toBe(before);
    expect(store.ring.keys[0]?.lastUsedAt).toBe(now + 5);
    await new KeyStore(dir, filesService).update((ring) => revokeKey(ring, "a", now));
    await store.flush();
    expect(parseKeyring(readFileSync(store.file, "utf8")).keys[0]).toMatchObject({
      lastUsedAt: now + 5,
      revokedAt: now,
    });
    expect(existsSync(store.file)).toBe(true);
  });

  test("forgets no use that happens while the file is being written", async () => {
    const { store, keys } = await storeWith("a");
    let at = now;
    store.identify([presented(keys[0])], ++at);
    let writing = true;
    const flushed = store.flush().finally(() => {
      writing = false;
    });
    while (writing) {
      store.identify([presented(keys[0])], ++at);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await flushed;
    expect(store.ring.keys[0]?.lastUsedAt).toBe(at);
    await store.flush();
    expect(parseKeyring(readFileSync(store.file, "utf8")).keys[0]?.lastUsedAt).toBe(at);
  });

  test("that cannot be written says so, with the file and what to do, and changes nothing", async () => {
    const { dir, store } = await storeWith("a");
    rmSync(dir, { recursive: true });
    const wanted = { name: "b", scopes: ["read" as const], expiresAt: null };
    await expect(store.update((ring) => addKey(ring, wanted, owner, now))).rejects.toMatchObject({
      code: "KEYS_UNWRITABLE",
      status: 500,
      message: expect.stringMatching(new RegExp(`${store.file} cannot be written \\(ENOENT\\).*nothing was changed`)),
    });
    expect(store.ring.keys.map(({ name }) => name)).toEqual(["a"]);
  });
});
