/**
 * The SDK's declarations, so that a plugin folder which only has `dist/sdk` type-checks: our own `.d.ts` by tsc, plus the part
 * of typebox's that they reach, with every import rewritten to a relative path.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative } from "node:path";
import { promisify } from "node:util";

const specifier = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(["'])([^"'\n]+)\2/g;
const run = promisify(execFile);

/** Returns a list of [absolute path, text] below `dist/sdk/types`; empty when TypeScript is not installed. */
export async function sdkTypes({ root, dist }) {
  const compiler = compilerPath(root);
  if (compiler === undefined) {
    console.warn("no declarations for the SDK: typescript is not installed (npm install without --omit=dev)");
    return [];
  }
  const own = await declarations(root, compiler);
  const reached = new Map();
  for (const entry of ["sdk/index.d.ts", "sdk/testing.d.ts", "sdk/panel.d.ts"]) collect(entry, own, reached);
  const files = [...reached].map(([name, text]) => [join(dist, "sdk/types", name), text]);
  return [...files, ...typeboxDeclarations(root, dist)];
}

/** `package.json` of the SDK as it is linked into a plugin's node_modules. */
export function sdkPackage(root) {
  const source = JSON.parse(readFileSync(join(root, "sdk/package.json"), "utf8"));
  const { name, version, description, license, type, engines } = source;
  const entry = (file) => ({ types: `./types/sdk/${file}.d.ts`, default: `./${file}.js` });
  const exports = {
    ".": entry("index"),
    "./testing": entry("testing"),
    "./panel": { types: "./types/sdk/panel.d.ts" },
    "./package.json": "./package.json",
  };
  return `${JSON.stringify({ name, version, description, license, type, engines, exports }, null, 2)}\n`;
}

function compilerPath(root) {
  try {
    const require = createRequire(join(root, "package.json"));
    return join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  } catch {
    return undefined;
  }
}

/** All declarations of the program behind the entries, by name relative to the root. Checking is another command's work. */
async function declarations(root, compiler) {
  const work = mkdtempSync(join(tmpdir(), "chela-types-"));
  try {
    const options = {
      noCheck: true,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: root,
      outDir: work,
    };
    // Without these, our own workspaces count as foreign packages and get no declarations.
    const paths = Object.fromEntries(
      ["sdk", "kernel"].map((pack) => [`@chela/${pack}`, [join(root, pack, "index.ts")]]),
    );
    paths["@chela/kernel/*"] = [join(root, "kernel/*.ts")];
    const compilerOptions = { ...options, paths, typeRoots: [join(root, "node_modules/@types")] };
    const files = ["index", "testing", "panel"].map((name) => join(root, `sdk/${name}.ts`));
    const project = join(work, "tsconfig.json");
    writeFileSync(
      project,
      JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, files, include: [] }),
    );
    await run(process.execPath, [compiler, "-p", project]).catch((error) => {
      throw new Error(`tsc could not write the SDK's declarations:\n${error.stdout}${error.stderr}`);
    });
    const names = readdirSync(work, { recursive: true }).filter((name) => name.endsWith(".d.ts"));
    return new Map(names.map((name) => [name.replaceAll("\\", "/"), readFileSync(join(work, name), "utf8")]));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Takes `name` and whatever it imports over into `reached`, with specifiers that resolve inside the folder. */
function collect(name, own, reached) {
  if (reached.has(name)) return;
  const text = own.get(name);
  if (text === undefined) throw new Error(`the SDK's types need ${name}, which tsc did not write`);
  reached.set(name, "");
  const targets = [];
  const rewritten = text.replace(specifier, (whole, lead, quote, wanted) => {
    const target = ownTarget(name, wanted);
    if (target === undefined) return whole;
    if (target !== "typebox/index.mjs") targets.push(target);
    return `${lead}${quote}${between(name, target)}${quote}`;
  });
  reached.set(name, rewritten);
  for (const target of targets) collect(target.replace(/\.js$/, ".d.ts"), own, reached);
}

/** The path below `types/` that a specifier means, or undefined for Node's own modules. */
function ownTarget(importer, wanted) {
  if (wanted.startsWith("node:")) return undefined;
  if (wanted.startsWith(".")) return posix.join(posix.dirname(importer), wanted).replace(/\.ts$/, ".js");
  if (wanted === "typebox") return "typebox/index.mjs";
  const [, pack, rest] = /^@chela\/(sdk|kernel)(?:\/(.+))?$/.exec(wanted) ?? [];
  if (pack) return `${pack}/${rest ?? "index"}.js`;
  throw new Error(`${importer} shows a type of "${wanted}" to plugin authors: describe it with types of the SDK`);
}

function between(importer, target) {
  const path = posix.relative(posix.dirname(importer), target);
  return path.startsWith(".") ? path : `./${path}`;
}

/** The declaration files that typebox's main entry reaches. */
function typeboxDeclarations(root, dist) {
  const build = join(root, "node_modules/typebox/build");
  const out = [];
  const seen = new Set();
  const queue = [join(build, "index.d.mts")];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    out.push([join(dist, "sdk/types/typebox", relative(build, path)), text]);
    for (const [, , , wanted] of text.matchAll(specifier)) {
      const target = join(dirname(path), wanted.replace(/\.mjs$/, ".d.mts"));
      if (!existsSync(target)) throw new Error(`${path} imports ${wanted}, which is not there`);
      queue.push(target);
    }
  }
  return out;
}
