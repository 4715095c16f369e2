/**
 * Opens the database file, or creates it. A database that exists is never silently replaced: an empty file, a foreign file
 * and a damaged one are refused. New ones appear under their name only when they are complete, readable by the owner alone.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import type { Connection, Driver } from "./driver.ts";
import { damaged, isBusy, storeFault } from "./faults.ts";

const magic = "SQLite format 3\u0000";
/** SQLite's own wait blocks the whole process; longer waits are ours and let everything else run on. */
const nativeWaitMs = 10;

export type Durability = "normal" | "full";

/** Throws GatewayErrors only: `STORE_DAMAGED`, `STORE_LOCKED` after `busyMs`, `STORE_READONLY` … */
export async function openConnection(
  driver: Driver,
  file: string,
  options: { durability: Durability; busyMs: number },
): Promise<Connection> {
  let connection: Connection | undefined;
  try {
    if (exists(file)) assertHeader(file);
    else if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size) throw missing(file);
    else create(driver, file);
    const opened = driver.open(file);
    connection = opened;
    await patiently(performance.now() + options.busyMs, () => configure(opened, options.durability));
    return opened;
  } catch (error) {
    connection?.close();
    throw storeFault(error, file);
  }
}

/** Runs `work` again while another process holds the lock, until `giveUpAt` on the clock of `performance`. */
export async function patiently<T>(giveUpAt: number, work: () => T): Promise<T> {
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 50)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= giveUpAt) throw error;
      await delay(waitMs);
    }
  }
}

export function setDurability(connection: Connection, durability: Durability): void {
  connection.exec(`PRAGMA synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
}

function configure(connection: Connection, durability: Durability): void {
  connection.exec(`PRAGMA busy_timeout = ${nativeWaitMs}`);
  connection.exec("PRAGMA journal_mode = WAL");
  setDurability(connection, durability);
  connection.exec("PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 33554432");
  // Folding the log into the file waits for the disk, and a page that was written many times is then folded once.
  connection.exec("PRAGMA wal_autocheckpoint = 4000");
  // Reads the header and the schema: cheap at any size, and where a damaged or cut file shows.
  connection.prepare("SELECT count(*) AS tables FROM sqlite_master").get();
}

/** The file gets its name when its header is on the disk, so neither kill -9 nor a power failure leaves an empty database. */
function create(driver: Driver, file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(fresh + suffix, { force: true });
  closeSync(openSync(fresh, "wx", 0o600));
  const connection = driver.open(fresh);
  try {
    connection.exec("PRAGMA synchronous = OFF; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
  } finally {
    connection.close();
  }
  const handle = openSync(fresh, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
}

function assertHeader(file: string): void {
  const { size } = statSync(file);
  if (size === 0) throw damaged(file, "the file is empty");
  const head = Buffer.alloc(magic.length);
  const handle = openSync(file, "r");
  try {
    readSync(handle, head, 0, head.length, 0);
  } finally {
    closeSync(handle);
  }
  if (head.toString("latin1") !== magic) throw damaged(file, "it does not start like a SQLite database");
}

/** A new file would be given what the log holds, and be damaged by it. */
function missing(file: string): GatewayError {
  const message = `the database ${file} is missing while its log ${file}-wal is there: put the database back, or remove the log to begin anew`;
  return new GatewayError("STORE_DAMAGED", 500, message);
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
