/** `dist/builtins.json`: what the gateway knows of its built-in plugins without importing one. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { writeIfChanged } from "./output.mjs";

/** Imports every built plugin once and writes its manifest down. Returns the number of changed files. */
export async function writeBuiltins({ root, dist, plugins }) {
  const manifestOf = await hostManifestOf(root);
  const builtins = [];
  for (const id of plugins) {
    const file = `plugins/${id}.js`;
    const bytes = readFileSync(join(dist, file));
    const hash = createHash("sha256").update(bytes).digest("hex");
    const { default: plugin } = await import(`${pathToFileURL(join(dist, file)).href}?${hash}`);
    if (plugin === undefined)
      throw new Error(`plugins/${id}/index.ts has no default export; write definePlugin({ … })`);
    const { origin, root: _, entry, problem, ...manifest } = manifestOf(plugin);
    if (manifest.id !== id)
      throw new Error(`plugins/${id}/index.ts says its id is "${manifest.id}"; the folder decides`);
    builtins.push({ ...manifest, problem, file, hash });
  }
  const path = join(dist, "builtins.json");
  const changed = writeIfChanged(path, `${JSON.stringify(builtins)}\n`);
  // The newest file of the build: whoever wants to know whether dist/ is up to date looks at this one.
  utimesSync(path, new Date(), new Date());
  return changed ? 1 : 0;
}

/** The host's own reading of a manifest, so that the list and the host can never disagree. */
async function hostManifestOf(root) {
  const folder = mkdtempSync(join(tmpdir(), "chela-manifest-"));
  try {
    const outfile = join(folder, "manifest.mjs");
    const entryPoints = [join(root, "kernel/plugins/manifest.ts")];
    await esbuild.build({ entryPoints, outfile, bundle: true, format: "esm", platform: "node", logLevel: "warning" });
    return (await import(pathToFileURL(outfile).href)).manifestOf;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
