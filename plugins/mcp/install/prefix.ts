/** Where packages are installed: folders of our own below the plugin's data, never the user's global ones. */
import { join } from "node:path";

export type Installer = "uv" | "bun" | "npm";

export function prefixOf(stateDir: string, installer: Installer): string {
  return join(stateDir, "data", "mcp", "packages", installer);
}

/** Where the programs of installed packages are found. */
export function binFolder(stateDir: string, installer: Installer): string {
  const prefix = prefixOf(stateDir, installer);
  return installer === "npm" ? join(prefix, "node_modules", ".bin") : join(prefix, "bin");
}

export function binFolders(stateDir: string): readonly string[] {
  return (["uv", "bun", "npm"] as const).map((installer) => binFolder(stateDir, installer));
}
