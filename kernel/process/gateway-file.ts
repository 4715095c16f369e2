/**
 * `<state>/gateway.json`: which process serves a state dir, and where. It is the lock of the state dir too: written by
 * one process at a time, mode 0600, replaced atomically, and stale as soon as the process it names is gone.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, messageOf } from "@chela/sdk";
import { withFileLock } from "../disk/file-lock.ts";
import { readIfThere } from "../disk/files.ts";
import { isAlive, processStartOf } from "./processes.ts";

export interface GatewayFacts {
  readonly pid: number;
  readonly host: string;
  /** 0 until the listener is bound. */
  readonly port: number;
  /** Where a client on this machine reaches it; empty until the listener is bound. */
  readonly url: string;
  readonly startedAt: number;
  /** In PEM form, the one it shows when it speaks TLS: whoever may read this file needs no other proof. */
  readonly certificate?: string | undefined;
  readonly configPath?: string;
  readonly processStart?: string;
  /** Names this very acquisition. */
  readonly nonce?: string;
}

export interface GatewayFile {
  readonly path: string;
  /** Changes what the file says. Throws `STATE_LOCKED` when the file is no longer ours. */
  update(facts: Partial<Omit<GatewayFacts, "nonce" | "processStart">>): Promise<void>;
  /** Removes the file, if it is still ours. May be called twice. */
  release(): Promise<void>;
}

const maxBytes = 65_536;

/** Takes the state dir for this process. Throws `STATE_LOCKED` naming the process that has it. */
export async function acquireGatewayFile(
  stateDir: string,
  facts: Omit<GatewayFacts, "nonce" | "processStart">,
): Promise<GatewayFile> {
  const path = gatewayFilePath(stateDir);
  const processStart = processStartOf(facts.pid) ?? undefined;
  const mine: GatewayFacts = { ...facts, processStart, nonce: randomUUID() };
  try {
    await withFileLock(`${path}.lock`, async () => {
      const theirs = await readFacts(path);
      if (theirs && isAlive(theirs)) throw locked(stateDir, theirs);
      await replace(path, mine);
    });
  } catch (error) {
    throw GatewayError.is(error) ? error : unwritable(stateDir, error);
  }
  return held(stateDir, mine);
}

/** What the file says, or null when no living process stands behind it. */
export async function readGatewayFile(stateDir: string): Promise<GatewayFacts | null> {
  const facts = await readFacts(gatewayFilePath(stateDir)).catch(() => null);
  return facts && isAlive(facts) ? facts : null;
}

export function gatewayFilePath(stateDir: string): string {
  return join(stateDir, "gateway.json");
}

function held(stateDir: string, first: GatewayFacts): GatewayFile {
  const path = gatewayFilePath(stateDir);
  let facts = first;
  return {
    path,
    async update(change) {
      const now = await readFacts(path);
      if (now?.nonce !== first.nonce) throw locked(stateDir, now);
      facts = { ...facts, ...change };
      await replace(path, facts);
    },
    async release() {
      if ((await readFacts(path))?.nonce === first.nonce) await rm(path, { force: true });
    },
  };
}

function locked(stateDir: string, theirs: GatewayFacts | null): GatewayError {
  const who = theirs ? `pid ${theirs.pid}${theirs.port ? `, port ${theirs.port}` : ""}` : "its file was removed";
  return new GatewayError(
    "STATE_LOCKED",
    409,
    `The state dir ${stateDir} is in use by another gateway (${who}). Stop that one, start with --force to replace it, or choose another --state-dir.`,
    { stateDir, ...(theirs ? { pid: theirs.pid, port: theirs.port } : {}) },
  );
}

function unwritable(stateDir: string, cause: unknown): GatewayError {
  const reason = messageOf(cause);
  return new GatewayError(
    "STATE_DIR",
    500,
    `The state dir ${stateDir} cannot be written (${reason}). Make it writable for this user, or choose another with --state-dir or CHELA_STATE_DIR.`,
    { stateDir },
    { cause },
  );
}

/** Atomic, but not synced to disk: after a power cut the process it names is gone as well. */
async function replace(path: string, facts: GatewayFacts): Promise<void> {
  const draft = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    await file.writeFile(`${JSON.stringify(facts)}\n`).finally(() => file.close());
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Null when there is none, or one that names no process: what a power cut left. */
async function readFacts(path: string): Promise<GatewayFacts | null> {
  const text = await readIfThere(path, maxBytes);
  const facts = parse(text ?? "");
  const pid = facts.pid;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return null;
  const words = (key: keyof GatewayFacts) => (typeof facts[key] === "string" ? (facts[key] as string) : undefined);
  return {
    pid,
    host: words("host") ?? "",
    port: Number(facts.port) || 0,
    url: words("url") ?? "",
    startedAt: Number(facts.startedAt) || 0,
    configPath: words("configPath"),
    certificate: words("certificate"),
    processStart: words("processStart"),
    nonce: words("nonce"),
  };
}

function parse(text: string): Partial<Record<keyof GatewayFacts, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
