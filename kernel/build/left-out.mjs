/**
 * An esbuild plugin: parts of packages that we never call and that the packages ask for at once. Left in, each start would
 * read and compile them. Whoever comes to need one gets an error that names this file.
 */
const parts = [
  // Logging from a worker thread, to several destinations, and pino's own redaction: kernel/log.ts has what it needs of these.
  "pino/lib/transport.js",
  "pino/lib/multistream.js",
  "@pinojs/redact/index.js",
  // Kinds of hooks that kernel/hooks.ts does not make.
  "tapable/lib/AsyncParallelBailHook.js",
  "tapable/lib/AsyncSeriesLoopHook.js",
  "tapable/lib/HookMap.js",
  "tapable/lib/MultiHook.js",
  "tapable/lib/SyncBailHook.js",
  "tapable/lib/SyncLoopHook.js",
  "tapable/lib/SyncWaterfallHook.js",
];

/** Modules of Node that cost more than the one thing a package wants of them. */
const instead = {
  // To pack what was written; nobody asks for that.
  zlib: { for: /[\\/]rotating-file-stream[\\/]/, contents: `export const createGzip = ${refusal("createGzip")};` },
  // The gateway writes its log from the main thread.
  worker_threads: { for: /[\\/]pino[\\/]/, contents: "module.exports = { isMainThread: true };" },
};

function refusal(name) {
  return `() => { throw new Error(${JSON.stringify(`${name} is left out of the build (kernel/build/left-out.mjs)`)}); }`;
}

export function leftOut() {
  return {
    name: "left-out",
    setup(build) {
      const met = new Set();
      build.onLoad({ filter: /node_modules[\\/](?:pino|@pinojs|tapable)[\\/]/ }, ({ path }) => {
        const name = path.replaceAll("\\", "/").replace(/.*\/node_modules\//, "");
        if (!parts.includes(name)) return undefined;
        met.add(name);
        return { contents: `module.exports = ${refusal(name)};`, loader: "js" };
      });
      build.onResolve({ filter: /^(?:zlib|worker_threads)$/ }, ({ path, importer }) =>
        instead[path].for.test(importer) ? { path, namespace: "left-out" } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({ contents: instead[path].contents }));
      build.onEnd(() => {
        const gone = parts.find((name) => !met.has(name));
        if (gone) throw new Error(`nothing imports ${gone} any more (kernel/build/left-out.mjs)`);
      });
    },
  };
}
