/**
 * The token that a gateway without a configured one gives itself: `<state>/token`, mode 0600, made once and kept over
 * restarts. Processes that start at the same moment end up with the same token.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, messageOf } from "@chela/sdk";
import { withFileLock } from "../disk/file-lock.ts";
import { readIfThere, writeFileAtomic } from "../disk/files.ts";

export interface GeneratedToken {
  readonly token: string;
  /** True on the run that made it: the moment to print the URL. */
  readonly created: boolean;
  /** What the operator should know about the file, if anything. */
  readonly warning: string | undefined;
}

const pattern = /^chela_[A-Za-z0-9_-]{43}$/;
const maxBytes = 4096;

/** Reads the token, or makes one. Throws `STATE_DIR` with the path when neither is possible. */
export async function generatedToken(stateDir: string): Promise<GeneratedToken> {
  const path = join(stateDir, "token");
  try {
    return (await existing(path)) ?? (await create(stateDir, path));
  } catch (error) {
    const reason = messageOf(error);
    const advice = "make the folder writable for this user";
    throw new GatewayError("STATE_DIR", 500, `cannot keep the token in ${path}: ${reason}; ${advice}`, undefined, {
      cause: error,
    });
  }
}

async function existing(path: string): Promise<GeneratedToken | undefined> {
  const token = (await textOf(path))?.trim();
  if (token === undefined || !pattern.test(token)) return undefined;
  return { token, created: false, warning: await tighten(path) };
}

/** Undefined: no file. A file too large to be a token reads as garbage. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readIfThere(path, maxBytes);
  } catch (error) {
    if (GatewayError.is(error)) return "too large";
    throw error;
  }
}

async function create(stateDir: string, path: string): Promise<GeneratedToken> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  return await withFileLock(`${path}.lock`, async () => {
    const winner = await existing(path);
    if (winner !== undefined) return winner;
    const garbled = ((await textOf(path)) ?? "").trim() !== "";
    const token = `chela_${randomBytes(32).toString("base64url")}`;
    await writeFileAtomic(path, `${token}\n`);
    const warning = garbled ? `${path} held no token of ours and was replaced; use the new one` : undefined;
    return { token, created: true, warning };
  });
}

/** Windows has no such modes: there the profile's access list protects the state dir. */
async function tighten(path: string): Promise<string | undefined> {
  const mode = (await stat(path)).mode & 0o777;
  if (process.platform === "win32" || (mode & 0o077) === 0) return undefined;
  const was = `${path} had mode 0${mode.toString(8)}, so others on this machine could read the token`;
  try {
    await chmod(path, 0o600);
    return `${was}; it is 0600 now; delete the file and restart to get a new token`;
  } catch {
    return `${was}; run chmod 600 on it`;
  }
}
