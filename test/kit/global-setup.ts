/** Builds `dist/` once per run, when a source is newer than the last build. A failed build fails the tests that need it. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** What the build said when it failed; empty when `dist/` is up to date. */
    buildTrouble: string;
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));

export function setup(project: TestProject): void {
  project.provide("buildTrouble", isFresh() ? "" : build());
}

function build(): string {
  const done = spawnSync(process.execPath, [join(root, "kernel/build.mjs")], { cwd: root, encoding: "utf8" });
  return done.status === 0 ? "" : `the build failed:\n${done.stdout}${done.stderr}`;
}

/** `builtins.json` is written last, so it dates the build. */
function isFresh(): boolean {
  const stamp = join(root, "dist/builtins.json");
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  return ["sdk", "kernel", "plugins"].every((folder) => newest(join(root, folder)) <= built);
}

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.includes("node_modules")) continue;
    latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}
