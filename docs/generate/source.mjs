/** The project's TypeScript, for what `dist/` does not say: parsed as syntax, or bundled and imported. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { parseSync } from "oxc-parser";

/** Every source below the folders as `{path, text, program, comments}`, by path. */
export function parseSources(root, folders) {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort()
    .map((path) => parseSource(root, path));
}

export function parseSource(root, path) {
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0].message}`);
  return { path, text, program, comments };
}

/** Imports a source file; what it would import only later, with `import()`, is left out. */
export async function loadSource(root, path) {
  const folder = mkdtempSync(join(tmpdir(), "chela-docs-"));
  try {
    const outfile = join(folder, "source.mjs");
    await esbuild.build({
      absWorkingDir: root,
      entryPoints: [path],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      logLevel: "warning",
      plugins: [{ name: "later", setup: leaveLater }],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function leaveLater(build) {
  build.onResolve({ filter: /.*/ }, ({ kind, path }) => (kind === "dynamic-import" ? { path, external: true } : null));
}

/** The doc comment right before a node, as one line; empty when there is none. */
export function docOf({ text, comments }, node) {
  const comment = comments.findLast(({ end }) => end <= node.start);
  if (comment?.type !== "Block" || !comment.value.startsWith("*")) return "";
  if (text.slice(comment.end, node.start).trim() !== "") return "";
  return comment.value
    .replace(/^\*/, "")
    .replace(/^\s*\*/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The texts in a list such as `const names = new Set<Name>(["a", "b"])`. */
export function listNamed({ path, text }, name) {
  const found = new RegExp(`const ${name}\\b[^=]*=[^[]*\\[([^\\]]*)\\]`).exec(text);
  if (!found) throw new Error(`${path} has no list ${name} any more; tell docs/generate where it went`);
  return [...found[1].matchAll(/"([^"]+)"/g)].map(([, item]) => item);
}

/** Calls `visit(node, parents)` for a syntax tree, outermost first. */
export function walk(node, visit, parents = []) {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit, parents);
  } else if (typeof node === "object" && node !== null && typeof node.type === "string") {
    visit(node, parents);
    for (const child of Object.values(node)) walk(child, visit, [...parents, node]);
  }
}
