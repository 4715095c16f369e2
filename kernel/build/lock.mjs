/** One build at a time per clone: two that overlap would delete each other's chunks. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const patienceMs = 60_000;

/** Runs `work` alone. A lock that a dead process left behind is taken over. */
export async function alone(root, work) {
  const lock = join(tmpdir(), `chela-build-${createHash("sha256").update(root).digest("hex").slice(0, 16)}.lock`);
  const deadline = performance.now() + patienceMs;
  while (!take(lock)) {
    if (performance.now() > deadline)
      throw new Error(`another build holds ${lock} for ${patienceMs / 1000} s; delete it if there is none`);
    if (!isAlive(lock)) rmSync(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(lock) {
  try {
    process.kill(Number(readFileSync(lock, "utf8")) || process.pid, 0);
    return true;
  } catch (error) {
    // Gone since, or not ours to signal.
    return error.code !== "ESRCH" && error.code !== "ENOENT";
  }
}
