/** The built binary, for tests that run it as a user does. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

/** Absolute path below `dist/`, e.g. `distFile("sdk/index.js")`. Fails with what the build said when there is none. */
export function distFile(name: string): string {
  const trouble = inject("buildTrouble");
  if (trouble !== "") throw new Error(trouble);
  const path = fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} was not built`);
  return path;
}

/** `dist/chela.js`, to be run with `process.execPath`. */
export function binary(): string {
  return distFile("chela.js");
}
