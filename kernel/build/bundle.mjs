/** The esbuild step: all entries in one run, so that what they share lands in shared chunks and exists once at run time. */
import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import * as esbuild from "esbuild";
import { cjsNames } from "./cjs-names.mjs";
import { leanType } from "./lean-type.mjs";
import { leftOut } from "./left-out.mjs";
import { mergeChunks } from "./merge.mjs";

/** Loaded from node_modules at run time: native code, or a tool that only `plugins install` of TypeScript needs. */
const external = ["@photostructure/sqlite", "esbuild"];

/** CommonJS packages inside an ES module bundle still ask for `require`. */
const requireBanner =
  'import { createRequire as $createRequire } from "node:module";const require = $createRequire(import.meta.url);';
const bannerText = `${requireBanner}\n`;

const common = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  write: false,
  logLevel: "warning",
};

/** Returns the outputs (absolute path → bytes) without writing them, and esbuild's metafile. */
export async function bundle({ root, dist, plugins }) {
  const entryPoints = entries(root, plugins);
  const result = await esbuild.build({
    ...common,
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    splitting: true,
    mainFields: ["module", "main"],
    external,
    plugins: [leanType(root), leftOut(), cjsNames(external)],
    banner: { js: requireBanner },
    chunkNames: "chunks/[name]-[hash]",
    entryNames: "[dir]/[name]",
    metafile: true,
    logOverride: { "empty-import-meta": "error" },
  });
  if (result.warnings.length > 0) throw new Error(`esbuild gave ${result.warnings.length} warnings (above)`);
  const outputs = new Map(
    result.outputFiles.map(({ path, text }) => [relative(root, path).split(sep).join("/"), withoutIdleBanner(text)]),
  );
  await mergeChunks(outputs, { root, metafile: result.metafile, options: common });
  return {
    files: [...outputs].map(([path, text]) => [join(root, path), Buffer.from(text)]),
    metafile: result.metafile,
  };
}

/** To make a `require` takes longer than to read most files; only where esbuild's helper lies is one asked for. */
function withoutIdleBanner(text) {
  const bare = text.replace(bannerText, "");
  return /\brequire\b/.test(bare) ? text : bare;
}

function entries(root, plugins) {
  const list = { chela: "kernel/bin.ts", "sdk/index": "sdk/index.ts", "sdk/testing": "sdk/testing.ts" };
  for (const id of plugins) list[`plugins/${id}`] = `plugins/${id}/index.ts`;
  for (const source of Object.values(list)) {
    if (!existsSync(join(root, source))) throw new Error(`${source} is missing: every entry of the build must exist`);
  }
  return list;
}
