/**
 * Where the workspace lies: `workspace.dir`, else ClawGo's `agents.defaults.workspace`, else a folder of the state dir.
 * The path it tells is absolute and free of links, whether the folder exists yet or not.
 */
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

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
