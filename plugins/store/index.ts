/** The store plugin: opens the database and lends it to everyone else as the `store` service. */
import { readdir, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { type Context, definePlugin, GatewayError, type Static, store, Type } from "@chela/sdk";
import { backupName, sweepBackups } from "./backup.ts";
import { Database } from "./database.ts";
import { type Driver, loadDriver } from "./driver.ts";
import { openConnection, setDurability } from "./open.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** A start must not use up the time that setup has. */
const maxOpenWaitMs = 3_000;
const shrinkEveryMs = 10_000;

const Config = Type.Object({
  path: Type.String({ default: "", description: "Database file; empty: chela.db in the plugin's data folder" }),
  durability: Type.Union([Type.Literal("normal"), Type.Literal("full")], {
    default: "normal",
    description: "normal: nothing is lost when the process dies; full: nor when the power fails",
  }),
  busy_ms: Type.Integer({
    minimum: 0,
    maximum: 60_000,
    default: 3_000,
    description: "How long to wait for another process's lock",
  }),
});

const BackupParams = Type.Object({
  file: Type.Optional(Type.String({ description: "Plain name of the copy; default: chela- and the time, .db" })),
});

type Config = Static<typeof Config>;

export default definePlugin({
  id: "store",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The database: SQLite, embedded, with migrations, backup and integrity check",
  critical: true,
  section: "store",
  config: Config,
  hot: ["durability", "busy_ms"],
  provides: [store],
  async setup(ctx) {
    const file = databaseFile(ctx);
    const driver = await loadDriver();
    const { durability, busy_ms } = ctx.config;
    // Owned before it is opened: nothing that fails in between can leave it open.
    let close = async () => {};
    ctx.own("database", () => close());
    const connection = await openConnection(driver, file, { durability, busyMs: Math.min(busy_ms, maxOpenWaitMs) });
    const sqlite = new SqliteStore({
      database: new Database(connection),
      driver,
      file,
      busyMs: () => ctx.config.busy_ms,
    });
    close = () => sqlite.close();
    await sqlite.prepare();
    ctx.provide(store, sqlite);
    ctx.onConfig(async (now, changed) => {
      if (changed.includes("durability")) await sqlite.configure((open) => setDurability(open, now.durability));
    });
    // Only now: an instance before this one may have been writing a backup.
    ctx.start(() => sweepBackups(backupFolder(ctx)));
    // A database that is locked or a disk that is full has no time for this; the next time may.
    ctx.every(shrinkEveryMs, () => sqlite.shrink().catch(() => undefined));
    ctx.health("database", () => check(sqlite, driver, file));
    registerMethods(ctx, sqlite);
  },
});

function databaseFile(ctx: Context<Config>): string {
  const { path } = ctx.config;
  if (path === "") return join(ctx.dataDir, "chela.db");
  return isAbsolute(path) ? path : resolve(ctx.dataDir, path);
}

function backupFolder(ctx: Context<Config>): string {
  return join(ctx.dataDir, "backups");
}

async function check(sqlite: SqliteStore, driver: Driver, file: string) {
  await sqlite.get("SELECT count(*) AS tables FROM sqlite_master");
  const { size } = await stat(file);
  return { ok: true, driver: driver.name, bytes: size, waiting: sqlite.waiting };
}

function registerMethods(ctx: Context<Config>, sqlite: SqliteStore): void {
  ctx.method({
    name: "store.integrity",
    access: "admin",
    about: "Checks every page of the database; problems is empty when it is sound",
    handler: async () => {
      const problems = await sqlite.integrity();
      return { ok: problems.length === 0, problems };
    },
  });
  ctx.method({
    name: "store.backup",
    access: "admin",
    about: "Writes a consistent copy of the database into the store's backup folder",
    params: BackupParams,
    handler: async ({ file }) => {
      const folder = backupFolder(ctx);
      const name = backupName(file, new Date());
      const taken = await readdir(folder).catch(() => [] as string[]);
      if (taken.includes(name)) {
        throw new GatewayError("STORE_EXISTS", 409, `a backup called ${name} exists already: choose another name`);
      }
      await sqlite.backup(join(folder, name));
      const { size } = await stat(join(folder, name));
      return { file: name, path: join(folder, name), bytes: size };
    },
  });
}
