/** Runs the blocks of a document as its reader would: in order, in one shell, with `chela` in the PATH and a gateway of its own. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { binary } from "./binary.ts";
import type { Fence } from "./fences.ts";
import { startGateway } from "./gateway.ts";
import { tempDir } from "./temp.ts";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The shell blocks as one script; a file block becomes the writing of that file. `ci` marks what the checks of the project
 * run, `needs=openssl` what only a machine with that program can.
 */
export function script(blocks: readonly Fence[]): string {
  const parts = blocks.flatMap((block) => {
    if (block.info.file !== undefined) {
      const folder = `mkdir -p "$(dirname ${block.info.file})"`;
      return [folder, `cat > ${block.info.file} <<'CHELA_BLOCK'\n${block.text}\nCHELA_BLOCK`];
    }
    if (block.language !== "bash" || "ci" in block.info || !isThere(block.info.needs)) return [];
    return [`echo "# line ${block.line}" >&2`, block.text];
  });
  return ["set -euo pipefail", ...parts].join("\n");
}

/** Runs the blocks with a home of their own and a gateway in `~/.chela` in place of the one on 127.0.0.1:18790. */
export async function runBlocks(blocks: readonly Fence[]): Promise<Said> {
  const home = tempDir("home");
  const stateDir = join(home, ".chela");
  mkdirSync(stateDir, { mode: 0o700 });
  // A port by number: a block that sets another one and takes it back gets this one again.
  const gateway = await startGateway({ stateDir, args: ["--port", String(await freePort())] });
  const text = script(blocks).replaceAll("127.0.0.1:18790", new URL(gateway.url).host);
  const env = { HOME: home, PATH: pathWithChela(), CHELA_DISCOVERY: "off", NO_COLOR: "1" };
  return await shell(await withFreePorts(text), home, env);
}

/** What the script leaves running ends with the test. */
function shell(text: string, cwd: string, env: Record<string, string>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", text], { cwd, env, detached: true });
    onTestFinished(() => endGroup(child.pid));
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output.stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output.stderr += chunk;
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      endGroup(child.pid);
      child.once("close", () => resolve({ code: code ?? -1, ...output }));
    });
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/** Every other port of the 18000s is an example: each becomes one that is free here. */
async function withFreePorts(text: string): Promise<string> {
  const examples = new Set(text.match(/\b18\d{3}\b/g));
  examples.delete("18790");
  let free = text;
  for (const example of examples) free = free.replaceAll(new RegExp(`\\b${example}\\b`, "g"), String(await freePort()));
  return free;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function isThere(program: string | undefined): boolean {
  if (program === undefined) return true;
  try {
    execFileSync("bash", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function pathWithChela(): string {
  const folder = tempDir("path");
  writeFileSync(join(folder, "chela"), `#!/bin/sh\nexec "${process.execPath}" "${binary()}" "$@"\n`);
  chmodSync(join(folder, "chela"), 0o755);
  return `${folder}:${dirname(process.execPath)}:${process.env.PATH}`;
}

/** Blocks as two languages must share them: comments may be translated. */
export function sameInAnyLanguage(blocks: readonly Fence[]): unknown[] {
  return blocks.map(({ language, info, text }) => ({
    language,
    info,
    text: text.replace(/^\s*(?:\/\/|# ).*$/gm, "").replace(/[ \t]+/g, " "),
  }));
}
