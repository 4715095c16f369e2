/**
 * The door to SQLite: `node:sqlite` where Node has it built in, else the package with the same API. The few members that
 * we use are declared here, so that neither is needed to compile. Nothing is loaded before the first call.
 */
import { createRequire } from "node:module";
import { GatewayError } from "@chela/sdk";

export interface Statement {
  run(...values: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (file: string) => Connection;
  /** Absent before Node 22.16. */
  readonly backup?: (source: Connection, target: string, options?: { rate?: number }) => Promise<unknown>;
}

export interface Driver {
  readonly name: "node:sqlite" | "@photostructure/sqlite";
  /** What a worker thread passes to `require` to get the same module. */
  module(): string;
  open(file: string): Connection;
  /** Copies one moment of `file`, off the main thread, while others write; undefined where this Node cannot. */
  readonly copy: ((file: string, target: string) => Promise<void>) | undefined;
}

const fallback = "@photostructure/sqlite";
/** In the thread that copies, for a lock of another process. */
const copyWaitMs = 5_000;
const allPages = 2_147_483_647;

export async function loadDriver(): Promise<Driver> {
  const builtin = process.getBuiltinModule("node:sqlite") as unknown as SqliteModule | undefined;
  if (builtin) return driverOf("node:sqlite", () => "node:sqlite", builtin);
  try {
    // Not `import`: that reads and looks through the same files twice.
    const require = createRequire(import.meta.url);
    const found = require("@photostructure/sqlite") as SqliteModule;
    return driverOf(fallback, () => require.resolve(fallback), found);
  } catch (cause) {
    const message = `this Node (${process.version}) has no built-in SQLite and ${fallback} cannot be loaded: use Node 22.13 or newer, or reinstall with optional dependencies`;
    throw new GatewayError("STORE_DRIVER", 500, message, undefined, { cause });
  }
}

function driverOf(name: Driver["name"], module: Driver["module"], sqlite: SqliteModule): Driver {
  const { DatabaseSync, backup } = sqlite;
  return {
    name,
    module,
    open: (file) => new DatabaseSync(file),
    copy: backup && ((file, target) => copyFile(sqlite, { file, target })),
  };
}

/**
 * On a connection of its own, all pages in one step: on the one that writes, a step would fail inside a transaction, and
 * another one's commit between two steps starts the copy over.
 */
async function copyFile(
  { DatabaseSync, backup }: SqliteModule,
  { file, target }: { file: string; target: string },
): Promise<void> {
  const source = new DatabaseSync(file);
  try {
    source.exec(`PRAGMA busy_timeout = ${copyWaitMs}`);
    await backup?.(source, target, { rate: allPages });
  } finally {
    source.close();
  }
}
