/** Where the config file and the state dir are: by option, by environment, by default, in this order. */
import { access, constants, mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import { codeOf } from "../disk/files.ts";

export interface LocateOptions {
  readonly config?: string | undefined;
  readonly stateDir?: string | undefined;
  /** The default state dir becomes `~/.chela-dev`. */
  readonly dev?: boolean | undefined;
}

export interface Location {
  readonly stateDir: string;
  readonly configPath: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Pure: looks at no file and makes none. A leading `~` means the home of `env`. */
export function locate(options: LocateOptions, env: Env): Location {
  const home = env.HOME || env.USERPROFILE || homedir();
  const absolute = (path: string) => resolve(/^~(?=$|[/\\])/.test(path) ? home + path.slice(1) : path);
  const stateDir = absolute(
    options.stateDir || env.CHELA_STATE_DIR || join(home, options.dev ? ".chela-dev" : ".chela"),
  );
  const named = options.config || env.CHELA_CONFIG;
  return { stateDir, configPath: named ? absolute(named) : join(stateDir, "config.json") };
}

/** Makes the state dir, for its owner alone, and proves that it can be written. Throws `STATE_DIR`. */
export async function ensureStateDir(stateDir: string): Promise<void> {
  try {
    await makeFolder(stateDir);
    await access(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = codeOf(error) || String(error);
    throw new GatewayError(
      "STATE_DIR",
      500,
      `the state dir ${stateDir} cannot be written (${reason}); make it writable or name another with CHELA_STATE_DIR`,
      { path: stateDir },
      { cause: error },
    );
  }
}

/** With its parents. Node's own recursion never ends where nothing can be made, such as below `/proc` or an automounter. */
async function makeFolder(path: string): Promise<void> {
  const failed = await tryToMake(path);
  if (failed === undefined) return;
  const parent = dirname(path);
  if (codeOf(failed) !== "ENOENT" || parent === path || (await stat(parent).catch(() => null))) throw failed;
  await makeFolder(parent);
  const again = await tryToMake(path);
  if (again !== undefined) throw again;
}

async function tryToMake(path: string): Promise<unknown> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST" || !(await stat(path)).isDirectory()) return error;
  }
  return undefined;
}
