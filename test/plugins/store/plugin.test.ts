import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Identity, store } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import plugin from "../../../plugins/store/index.ts";
import { tempDir } from "../../kit/temp.ts";
import { openStore } from "./kit.ts";

const admin: Identity = { id: "t", name: "t", kind: "token", scopes: ["admin"] };
const reader: Identity = { ...admin, scopes: ["read"] };

async function storeHost(options: Partial<TestHostOptions> = {}): Promise<TestHost> {
  const host = await startHost({ plugins: [plugin], ...options });
  onTestFinished(() => host.stop());
  return host;
}

function call(host: TestHost, method: string, params: unknown, identity = admin): Promise<unknown> {
  return host.gateway.call(method, params, { identity, id: "1", signal: new AbortController().signal });
}

const databaseOf = (host: TestHost) => join(host.stateDir, "data/store/chela.db");

describe("the store plugin", () => {
  it("keeps its database in its own folder, private, and says how it is", async () => {
    const host = await storeHost();
    expect(statSync(databaseOf(host)).mode & 0o777).toBe(0o600);
    expect(statSync(join(databaseOf(host), "..")).mode & 0o777).toBe(0o700);
    const health = await host.gateway.health();
    expect(health.checks).toContainEqual(expect.objectContaining({ plugin: "store", name: "database", ok: true }));
    expect((await host.request("/ready")).json()).toMatchObject({ ready: true, critical: { store: "running" } });
  });

  it("backs up into its own folder only, under a name that is new", async () => {
    const host = await storeHost();
    const database = host.service(store);
    await database.migrate("t", [{ version: 1, statements: ["CREATE TABLE t (x TEXT)"] }]);
    await database.run("INSERT INTO t VALUES ('kept')");
    const folder = join(host.stateDir, "data/store/backups");
    const made = (await call(host, "store.backup", { file: "one.db" })) as { path: string; bytes: number };
    expect(made).toEqual({
      file: "one.db",
      path: join(folder, "one.db"),
      bytes: statSync(join(folder, "one.db")).size,
    });
    await expect(call(host, "store.backup", { file: "one.db" })).rejects.toMatchObject({
      code: "STORE_EXISTS",
      status: 409,
    });
    for (const file of ["../one.db", "/tmp/one.db", ""]) {
      await expect(call(host, "store.backup", { file })).rejects.toMatchObject({ status: 400 });
    }
    expect(await call(host, "store.backup", {})).toMatchObject({
      file: expect.stringMatching(/^chela-\d{8}-\d{6}\.db$/),
    });
    expect(readdirSync(folder)).toHaveLength(2);
    const copy = await openStore({ file: made.path });
    expect(await copy.store.all("SELECT x FROM t")).toEqual([{ x: "kept" }]);
  });

  it("sweeps up the half backup of a process that was killed, and no whole one", async () => {
    const stateDir = tempDir("store");
    const folder = join(stateDir, "data/store/backups");
    mkdirSync(folder, { recursive: true });
    const half = "mine.db.0123456789ab.part";
    for (const name of [half, `${half}-journal`, "mine.db", "notes.part"]) writeFileSync(join(folder, name), "x");
    await storeHost({ stateDir });
    expect(readdirSync(folder).sort()).toEqual(["mine.db", "notes.part"]);
  });

  it("checks its database for whoever may", async () => {
    const host = await storeHost();
    expect(await call(host, "store.integrity", {})).toEqual({ ok: true, problems: [] });
    for (const method of ["store.integrity", "store.backup"]) {
      await expect(call(host, method, {}, reader)).rejects.toMatchObject({ status: 403 });
    }
  });

  it("changes its durability while it runs, and restarts for another file", async () => {
    const host = await storeHost();
    const write = (path: string, value: unknown) => host.config.write([{ path, value }], { who: "test" });
    expect(await write("store.durability", "full")).toMatchObject({ applied: ["store.durability"], restarted: [] });
    expect(await write("store.path", "other.db")).toMatchObject({ restarted: ["store"] });
    expect(existsSync(join(host.stateDir, "data/store/other.db"))).toBe(true);
    await expect(write("store.durability", "some")).rejects.toMatchObject({ status: 400 });
  });
});

describe("a database that cannot be used", () => {
  const broken = async (make: (file: string) => void | Promise<void>) => {
    const stateDir = tempDir("store");
    const file = join(stateDir, "data/store/chela.db");
    mkdirSync(join(file, ".."), { recursive: true });
    await make(file);
    const host = await storeHost({ stateDir });
    return { host, file, row: host.plugins.info("store") };
  };

  it("stops what needs it and says why; the gateway itself lives", async () => {
    const { host, file, row } = await broken((path) => writeFileSync(path, "this is no database at all"));
    expect(row).toMatchObject({ state: "quarantined", reason: expect.stringContaining(`${file} is damaged`) });
    expect((await host.request("/ready")).status).toBe(503);
    expect((await host.request("/health")).status).toBe(200);
  });

  it("because it is newer is refused with both versions", async () => {
    const { row } = await broken(async (file) => {
      const { store: newer } = await openStore({ file });
      await newer.run("INSERT INTO chela_migrations VALUES ('store', 1, 'from the future', 0)");
      await newer.close();
    });
    expect(row).toMatchObject({ state: "quarantined", reason: expect.stringContaining("run the newer program") });
  });
});
