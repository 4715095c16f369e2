/** Brings a folder to exactly the given files: unchanged ones are left alone, changed ones are replaced whole, others go. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

/** Returns how many files changed. `keep` names files (relative) that another step writes. */
export function writeOutputs(dist, outputs, keep) {
  let changed = 0;
  for (const [path, content] of outputs) changed += writeIfChanged(path, content) ? 1 : 0;
  const kept = new Set(keep);
  for (const name of existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true }) : []) {
    const path = join(name.parentPath, name.name);
    if (name.isFile() && !outputs.has(path) && !kept.has(relative(dist, path))) rmSync(path);
  }
  chmodSync(join(dist, "chela.js"), 0o755);
  return changed;
}

/** Replaces by rename: a reader sees the old file or the new one, never half. */
export function writeIfChanged(path, content) {
  const bytes = Buffer.from(content);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return false;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, bytes);
  renameSync(draft, path);
  return true;
}
