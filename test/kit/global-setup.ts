/**
 * Once per run: builds `dist/` when a source is newer than the last build (a failed build fails the tests that need it), and
 * offers one browser to all files.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { offerBrowser } from "../e2e/browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the build said when it failed; empty when `dist/` is up to date. */
    buildTrouble: string;
    /** Who asks there is told where the browser of this run is. */
    browserDoor: string;
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide("buildTrouble", isFresh() ? "" : build());
  const { address, close } = await offerBrowser();
  project.provide("browserDoor", address);
  return close;
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
