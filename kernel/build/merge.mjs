/**
 * Puts small shared chunks together that are loaded together. esbuild makes a chunk for each set of entries that share a
 * module, dozens of them with a few lines each, and each costs a start half a millisecond to find, read and link.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import * as esbuild from "esbuild";

/**
 * What is loaded one after the other: by every command, with the version that most ask for, by those that commander reads, by those that ask a
 * gateway, by `gateway run`, and where plugins are installed. A later stage needs earlier ones, never the reverse.
 */
const stages = [
  ["kernel/bin.ts", "kernel/version.ts"],
  ["kernel/cli/main.ts"],
  ["kernel/cli/places.ts", "kernel/cli/credentials.ts", "kernel/cli/chat.ts", "kernel/process/gateway-file.ts"],
  ["kernel/cli/gateway.ts", "kernel/process/boot.ts"],
  ["kernel/plugins/installed-entry.ts"],
];
/** What the built-in plugins share with what they load later comes last: all of them are on unless somebody says otherwise. */
const pluginEntry = /^plugins\/[^/]+\/index\.ts$/;
/** And after them what the first question to a model loads. */
const firstQuestion = [
  "plugins/openai/chat/complete.ts",
  "plugins/providers/asking.ts",
  "plugins/chat/agent/running.ts",
];
/** A larger chunk is worth a file of its own: not everybody who wants a small one wants it too. */
const maxBytes = 48 * 1024;

/** `outputs`: path relative to `root` → text, changed in place. `metafile` and `options` are those of the build. */
export async function mergeChunks(outputs, { root, metafile, options }) {
  const graph = graphOf(metafile);
  const reached = new Set();
  const built = Object.values(metafile.outputs).map(({ entryPoint }) => entryPoint ?? "");
  const last = built.filter((entry) => pluginEntry.test(entry));
  for (const [number, entries] of [...stages, last, firstQuestion].entries()) {
    const reach = closure(graph, entryOutputs(metafile, entries));
    const members = together(
      graph,
      [...reach].filter((path) => !reached.has(path)),
    );
    for (const path of reach) reached.add(path);
    if (members.length > 1) await merge(outputs, { members, graph, root, options, number });
  }
}

/** Output → its size, its exports and what it imports at once. Entries, also those of `import()`, keep their files. */
function graphOf(metafile) {
  const nodes = Object.entries(metafile.outputs).map(([path, { bytes, entryPoint, exports, imports }]) => {
    const needs = imports.filter(({ kind, external }) => kind === "import-statement" && !external);
    return [path, { bytes, exports, isShared: entryPoint === undefined, needs: needs.map((item) => item.path) }];
  });
  return new Map(nodes);
}

function entryOutputs(metafile, entries) {
  return entries.map((entry) => {
    const outputs = Object.entries(metafile.outputs);
    const found =
      outputs.find(([, { entryPoint }]) => entryPoint === entry) ?? outputs.find(([, { inputs }]) => entry in inputs);
    if (!found) throw new Error(`${entry} is not in the build any more (kernel/build/merge.mjs)`);
    return found[0];
  });
}

/** The outputs themselves and all they import, directly or not. */
function closure(graph, paths) {
  const reach = new Set(paths);
  for (const path of reach) for (const next of graph.get(path).needs) reach.add(next);
  return reach;
}

/** The small shared ones, without those that need another one by way of an output that stays: that would be a cycle. */
function together(graph, candidates) {
  const members = new Set(
    candidates.filter((path) => graph.get(path).isShared && graph.get(path).bytes <= maxBytes).sort(),
  );
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const path of members) {
      const outside = graph.get(path).needs.filter((next) => !members.has(next));
      if ([...closure(graph, outside)].some((next) => members.has(next))) members.delete(path);
    }
  }
  return [...members];
}

/** Replaces the members by one file, and what others import from them by what that file exports. */
async function merge(outputs, { members, graph, root, options, number }) {
  const folder = posix.dirname(members[0]);
  const prefixes = new Map(members.map((path, index) => [posix.basename(path), `m${index}_`]));
  const contents = members.map((path) => {
    const names = graph.get(path).exports.map((name) => `${name} as ${prefixes.get(posix.basename(path))}${name}`);
    return `export { ${names.join(", ")} } from "./${posix.basename(path)}";`;
  });
  const { outputFiles } = await esbuild.build({
    ...options,
    absWorkingDir: root,
    stdin: { contents: contents.join("\n"), resolveDir: root, sourcefile: "merged.js" },
    plugins: [inlined(outputs, folder, prefixes)],
  });
  const [{ text }] = outputFiles;
  const name = `stage${number}-${createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase()}.js`;
  for (const path of members) outputs.delete(path);
  for (const [path, code] of outputs) {
    if (path.endsWith(".js")) outputs.set(path, redirected(path, code, { prefixes, name }));
  }
  outputs.set(`${folder}/${name}`, text);
}

/** Only the members are taken in; everything else stays an import of just these words. */
function inlined(outputs, folder, prefixes) {
  return {
    name: "inlined",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        const member = posix.basename(path);
        if (kind !== "import-statement" || !prefixes.has(member)) return { path, external: true };
        return { path: `${folder}/${member}`, namespace: "chunk", sideEffects: true };
      });
      build.onLoad({ filter: /.*/, namespace: "chunk" }, ({ path }) => ({ contents: outputs.get(path), loader: "js" }));
    },
  };
}

/** esbuild writes `import{a as b,c}from"./chunk-X.js"`, minified; anything else that names a member ends the build. */
function redirected(path, code, { prefixes, name }) {
  const from = (url) => url.replace(/[^/]*$/, name);
  const result = code
    .replace(/\bimport\{([^{}]*)\}from"([^"]*\/([^"/]+\.js))"/g, (whole, list, url, file) => {
      const prefix = prefixes.get(file);
      if (prefix === undefined) return whole;
      const names = list.split(",").map((item) => {
        const [outer, inner = outer] = item.split(" as ");
        return `${prefix}${outer} as ${inner}`;
      });
      return `import{${names.join(",")}}from"${from(url)}"`;
    })
    .replace(/\bimport"([^"]*\/([^"/]+\.js))"/g, (whole, url, file) =>
      prefixes.has(file) ? `import"${from(url)}"` : whole,
    );
  const left = [...prefixes.keys()].find((file) => result.includes(file));
  if (left) throw new Error(`${path} still names ${left} after the merge (kernel/build/merge.mjs)`);
  return result;
}
