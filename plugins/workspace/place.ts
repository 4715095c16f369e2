/**
 * Where the workspace lies: `workspace.dir`, else ClawGo's `agents.defaults.workspace`, else a folder of the state dir.
 * The path it tells is absolute and free of links, whether the folder exists yet or not.
 */
import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";

export interface PlaceSettings {
  readonly dir: string;
  /** ClawGo's key, or undefined. */
  readonly fallback: unknown;
  readonly stateDir: string;
}

export class Place {
  readonly #settings: () => PlaceSettings;
  #known: { readonly folder: string; readonly real: string } | undefined;

  constructor(settings: () => PlaceSettings) {
    this.#settings = settings;
  }

  root(): string {
    return this.#known?.real ?? this.look();
  }

  /** The root; throws `WORKSPACE_REFUSED` where no folder is and none can be made. Looks at the disk. */
  usable(): string {
    const root = this.root();
    const blocked = obstacle(root);
    if (blocked === undefined) return root;
    const what = blocked === root ? "the workspace is a file" : "a folder above the workspace is a file";
    const message = `${what}: move the file away, or set workspace.dir to a folder (chela doctor shows where)`;
    throw new GatewayError("WORKSPACE_REFUSED", 503, message);
  }

  /** Reads the settings and the disk again. */
  look(): string {
    const folder = folderOf(this.#settings());
    const { real, exists } = realFolder(folder);
    this.#known = exists ? { folder, real } : undefined;
    return real;
  }
}

function folderOf({ dir, fallback, stateDir }: PlaceSettings): string {
  const chosen = dir.trim() || (typeof fallback === "string" ? fallback.trim() : "");
  if (chosen === "") return join(stateDir, "workspace");
  const home = chosen === "~" || chosen.startsWith("~/") ? join(homedir(), chosen.slice(1)) : chosen;
  return resolve(stateDir, home);
}

/** Follows the links of what exists; what does not yet is appended as it is. */
function realFolder(folder: string): { real: string; exists: boolean } {
  const missing: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    try {
      return { real: join(realpathSync(at), ...missing), exists: missing.length === 0 };
    } catch {
      if (dirname(at) === at) return { real: folder, exists: false };
      missing.unshift(basename(at));
    }
  }
}

/** What stands where a folder has to be: the path itself, or the nearest one above that exists. */
function obstacle(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const facts = factsOf(at);
    if (facts) return facts.isDirectory() ? undefined : at;
    if (dirname(at) === at) return undefined;
  }
}

/** A folder that may not be looked into is none of an obstacle's: the work itself will tell. */
function factsOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
