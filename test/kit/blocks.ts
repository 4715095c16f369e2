/** Runs the blocks of a document as its reader would: in order, in one shell, with `chela` in the PATH. */
import { spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binary } from "./binary.ts";
import type { Fence } from "./fences.ts";
import { tempDir } from "./temp.ts";

/** The shell blocks as one script; a file block becomes the writing of that file. */
export function script(blocks: readonly Fence[]): string {
  const parts = blocks.flatMap((block) => {
    if (block.info.file !== undefined) return [`cat > ${block.info.file} <<'CHELA_BLOCK'\n${block.text}\nCHELA_BLOCK`];
    if (block.language !== "bash" || "ci" in block.info) return [];
    return [`echo "# line ${block.line}" >&2`, block.text];
  });
  return ["set -euo pipefail", ...parts].join("\n");
}

export function shell(
  text: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", text], { cwd, env });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output.stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output.stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, ...output }));
  });
}

export function pathWithChela(): string {
  const folder = tempDir("path");
  writeFileSync(join(folder, "chela"), `#!/bin/sh\nexec "${process.execPath}" "${binary()}" "$@"\n`);
  chmodSync(join(folder, "chela"), 0o755);
  return `${folder}:${dirname(process.execPath)}:${process.env.PATH}`;
}
