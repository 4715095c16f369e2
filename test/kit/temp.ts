/** Temporary folders of a test: made on request, removed when the test (or the hook's suite) ends, also when it fails. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A fresh folder that this test alone uses; removed when the test ends. */
export function tempDir(name = "test"): string {
  const { path, remove } = makeTempDir(name);
  onTestFinished(remove);
  return path;
}

/** The same for `beforeAll` and scripts, where the caller says when it goes. The path holds no symlink. */
export function makeTempDir(name = "test"): { path: string; remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `chela-${name}-`)));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Writes `files` (relative path → text) below `root`, with the folders they need. */
export function writeTree(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
