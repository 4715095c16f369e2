/** The esbuild step: all entries in one run, so that what they share lands in shared chunks and exists once at run time. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { cjsNames } from "./cjs-names.mjs";

/** Loaded from node_modules at run time: native code, or a tool that only `plugins install` of TypeScript needs. */
const external = ["@photostructure/sqlite", "esbuild"];

/** CommonJS packages inside an ES module bundle still ask for `require`. */
const requireBanner =
  'import { createRequire as $createRequire } from "node:module";const require = $createRequire(import.meta.url);';

/** Returns the outputs (absolute path → bytes) without writing them, and esbuild's metafile. */
export async function bundle({ root, dist, plugins }) {
  const entryPoints = entries(root, plugins);
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    mainFields: ["module", "main"],
    external,
    plugins: [cjsNames(external)],
    banner: { js: requireBanner },
    chunkNames: "chunks/[name]-[hash]",
    entryNames: "[dir]/[name]",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
    logOverride: { "empty-import-meta": "error" },
  });
  if (result.warnings.length > 0) throw new Error(`esbuild gave ${result.warnings.length} warnings (above)`);
  return {
    files: result.outputFiles.map((file) => [file.path, Buffer.from(file.contents)]),
    metafile: result.metafile,
  };
}

function entries(root, plugins) {
  const list = { chela: "kernel/bin.ts", "sdk/index": "sdk/index.ts", "sdk/testing": "sdk/testing.ts" };
  for (const id of plugins) list[`plugins/${id}`] = `plugins/${id}/index.ts`;
  for (const source of Object.values(list)) {
    if (!existsSync(join(root, source))) throw new Error(`${source} is missing: every entry of the build must exist`);
  }
  return list;
}
