/** A store on a fresh file, opened the way the plugin opens it, without a host; and programs of ours as child processes. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { Database } from "../../../plugins/store/database.ts";
import { loadDriver } from "../../../plugins/store/driver.ts";
import { type Durability, openConnection } from "../../../plugins/store/open.ts";
import { SqliteStore } from "../../../plugins/store/sqlite-store.ts";
import { root } from "../../kit/sources.ts";
import { tempDir } from "../../kit/temp.ts";

export interface OpenStore {
  readonly store: SqliteStore;
  readonly database: Database;
  readonly file: string;
}

export interface StoreOptions {
  readonly file?: string;
  readonly busyMs?: number;
  readonly durability?: Durability;
  readonly transactionMs?: number;
}

/** Closed when the test ends. */
export async function openStore(options: StoreOptions = {}): Promise<OpenStore> {
  const { busyMs = 1_000, durability = "normal", transactionMs } = options;
  const file = options.file ?? join(tempDir("store"), "chela.db");
  const driver = await loadDriver();
  const connection = await openConnection(driver, file, { durability, busyMs });
  const database = new Database(connection);
  const store = new SqliteStore({ database, driver, file, busyMs: () => busyMs, transactionMs });
  onTestFinished(() => store.close());
  await store.prepare();
  return { store, database, file };
}

/** Bundles a program so that plain `node` runs it, with our packages beside it; the path of the result. */
export async function bundled(source: URL, folder: string): Promise<string> {
  const outfile = join(folder, "program.mjs");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  return outfile;
}

export const rejection = (promise: Promise<unknown>): Promise<{ code: string; status: number; message: string }> =>
  promise.then(
    () => Promise.reject(new Error("expected a rejection")),
    (error) => error,
  );
