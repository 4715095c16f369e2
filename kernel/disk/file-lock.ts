/**
 * A lock between processes: one file, complete before its name exists, taken over only when its process is gone.
 * Whoever changes a file that several processes write (the config, the list of plugins) does it inside `withFileLock`.
 */
import { randomBytes } from "node:crypto";
import { closeSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import { isAlive, processStartOf } from "../process/processes.ts";
import { codeOf, readIfThere } from "./files.ts";

interface Holder {
  readonly pid: number;
  readonly processStart?: string;
  readonly nonce: string;
}

const guardStaleMs = 5000;

/** Runs `work` while this call alone holds the lock. Waits for another holder up to `waitMs`, then throws `BUSY`. */
export async function withFileLock<T>(lockFile: string, work: () => Promise<T>, waitMs = 10_000): Promise<T> {
  mkdirSync(dirname(lockFile), { recursive: true, mode: 0o700 });
  const processStart = processStartOf(process.pid) ?? undefined;
  const me: Holder = { pid: process.pid, processStart, nonce: randomBytes(8).toString("hex") };
  const deadline = performance.now() + waitMs;
  while (!create(lockFile, me)) {
    const holder = await read(lockFile);
    if (performance.now() >= deadline) throw busy(lockFile, holder);
    if (isStale(lockFile, holder)) await removeStale(lockFile, holder?.nonce);
    else await pause(10 + Math.random() * 20);
  }
  try {
    return await work();
  } finally {
    if ((await read(lockFile))?.nonce === me.nonce) rmSync(lockFile, { force: true });
  }
}

function create(lockFile: string, me: Holder): boolean {
  const draft = `${lockFile}.${me.pid}-${me.nonce}`;
  try {
    writeFileSync(draft, JSON.stringify(me), { flag: "wx", mode: 0o600 });
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(codeOf(error))) throw error;
    return createWithoutLink(lockFile, me);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** For file systems without hard links. */
function createWithoutLink(lockFile: string, me: Holder): boolean {
  try {
    writeFileSync(lockFile, JSON.stringify(me), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** A file that names nobody is what a power cut left, unless it is just being written. */
function isStale(lockFile: string, holder: Holder | undefined): boolean {
  return holder ? !isAlive(holder) : isOld(lockFile);
}

function isOld(file: string): boolean {
  const facts = statSync(file, { throwIfNoEntry: false });
  return facts !== undefined && Math.abs(Date.now() - facts.mtimeMs) > guardStaleMs;
}

/** The guard keeps two that both saw a dead holder from removing each other's fresh lock. */
async function removeStale(lockFile: string, nonce: string | undefined): Promise<void> {
  const guard = `${lockFile}.takeover`;
  try {
    closeSync(openSync(guard, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    if (isOld(guard)) rmSync(guard, { force: true });
    return pause(20);
  }
  try {
    if ((await read(lockFile))?.nonce === nonce) rmSync(lockFile, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

async function read(lockFile: string): Promise<Holder | undefined> {
  const text = await readIfThere(lockFile, 4096);
  if (text === undefined) return undefined;
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isSafeInteger(holder.pid) && holder.pid > 0 ? holder : undefined;
  } catch {
    return undefined;
  }
}

function busy(lockFile: string, holder: Holder | undefined): GatewayError {
  const who = holder ? `process ${holder.pid}` : "a lock file that names no process";
  const hint = holder ? "Try again when it is done." : "Remove it if no other Chela is running.";
  return new GatewayError("BUSY", 409, `${lockFile} is held by ${who}. ${hint}`, holder ? { pid: holder.pid } : {});
}
