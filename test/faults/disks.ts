/** State dirs whose disk is about to end: every file limited in size, or a whole file system of 3 MB where one can be mounted. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { makeTempDir, tempDir } from "../kit/temp.ts";
import { chat, stop } from "./kit.ts";

export interface Disk {
  readonly stateDir: string;
  /** Starts a gateway that meets the limit. */
  start(): Promise<RunningGateway>;
  /** Uses up what is left, where the limit is the disk's. */
  fill(): void;
  /** Makes room again; false where the limit stays. */
  free(): boolean;
}

const mountSmall = (folder: string) =>
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], { stdio: "pipe" });
const unmount = (folder: string) => execFileSync("umount", ["-l", folder], { stdio: "pipe" });

/** No file may grow beyond 128 or 256 KiB (the shells do not agree on the unit). */
async function limitedFiles(): Promise<Disk> {
  const stateDir = tempDir("limited");
  await firstRun(stateDir);
  return {
    stateDir,
    start: () => startGateway({ stateDir, shell: "ulimit -f 256" }),
    fill: () => undefined,
    free: () => false,
  };
}

async function tinyDisk(): Promise<Disk> {
  const stateDir = tempDir("tiny");
  mountSmall(stateDir);
  onTestFinished(() => void unmount(stateDir));
  await firstRun(stateDir);
  const filler = join(stateDir, "filler");
  return {
    stateDir,
    start: () => startGateway({ stateDir }),
    fill: () => expect(() => writeFileSync(filler, Buffer.alloc(4_000_000))).toThrow("ENOSPC"),
    free: () => {
      rmSync(filler);
      return true;
    },
  };
}

/** Makes the files that a gateway has anyway, so that only growth meets the limit. */
async function firstRun(stateDir: string): Promise<void> {
  writeFileSync(join(stateDir, "config.json"), '{\n  // mine\n  "logging": { "level": "info" }\n}\n');
  const gateway = await startGateway({ stateDir });
  await chat(gateway, "/echo before");
  await stop(gateway);
}

function canMount(): boolean {
  const probe = makeTempDir("mount");
  try {
    mountSmall(probe.path);
    unmount(probe.path);
    return true;
  } catch {
    return false;
  } finally {
    probe.remove();
  }
}

/** By name; the limit on files works for everybody. */
export const disks: [string, () => Promise<Disk>][] = [["files that may not grow", limitedFiles]];
if (canMount()) disks.push(["a tiny disk", tinyDisk]);
