/**
 * `node_modules/@chela/sdk` of a folder is the host's own SDK: a symlink (a junction on Windows), a copy where neither can
 * be made. Installed plugins find the one beside all of them, so they work offline, and an update of the host updates what
 * its plugins import.
 */
import { existsSync, rmSync } from "node:fs";
import { cp, lstat, mkdir, readFile, readlink, rm, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { withFileLock } from "../disk/file-lock.ts";
import type { PluginDirs } from "./lock.ts";
import { sdkFolder } from "./tree.ts";

/** Makes the link, or repairs it. Does nothing when it leads there already. */
export async function linkSdk(root: string, sdkDir: string): Promise<void> {
  const link = join(root, sdkFolder);
  const target = resolve(sdkDir);
  if (await leadsTo(link, target)) return;
  await rm(link, { recursive: true, force: true });
  await mkdir(dirname(link), { recursive: true });
  try {
    await symlink(target, link, "junction");
  } catch {
    await cp(target, link, { recursive: true, dereference: true });
  }
}

/** The link for all installed plugins. Installs and the gateway take turns at making it. */
export async function shareSdk({ root }: PluginDirs, sdkDir: string): Promise<void> {
  if (await leadsTo(join(root, sdkFolder), resolve(sdkDir))) return;
  await withFileLock(join(root, ".lock"), () => linkSdk(root, sdkDir));
}

/** Takes out what would come before the host's SDK: a package in the plugin itself, or the link of an older Chela. */
export function dropOwnSdk(root: string): void {
  const own = join(root, sdkFolder);
  if (existsSync(own)) rmSync(own, { recursive: true, force: true });
}

/** True for a link to the SDK, or a copy of the same version of it. */
export async function leadsTo(link: string, target: string): Promise<boolean> {
  try {
    const facts = await lstat(link);
    if (facts.isSymbolicLink()) return resolve(dirname(link), await readlink(link)) === target;
    return (
      (await readFile(join(link, "package.json"), "utf8")) === (await readFile(join(target, "package.json"), "utf8"))
    );
  } catch {
    return false;
  }
}
