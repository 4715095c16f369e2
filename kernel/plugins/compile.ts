/**
 * TypeScript plugins: the entry and the files it imports from its own folder become one ES module. Packages stay outside,
 * so a plugin and the host never hold two copies of one. No tsconfig of the plugin is read and nothing of it is run.
 */
import { readFile, realpath } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError, isObject } from "@chela/sdk";
import type { BuildOptions, Plugin as EsbuildPlugin, OnResolveArgs, OnResolveResult, PluginBuild } from "esbuild";
import { isInside } from "../disk/files.ts";

export interface Compilation {
  /** Folder of the plugin. */
  readonly root: string;
  /** Relative to it. */
  readonly entry: string;
  readonly outfile: string;
  /**
   * Absent: packages are found from where the output lies. Given: the output may lie anywhere, packages are found from
   * the sources and the SDK is the one in this folder.
   */
  readonly sdkDir?: string;
}

const marked = { inside: true };
/** Relative, absolute, or by the `imports` of package.json: everything but the name of a package. */
const ownPath = /^(?:[./#\\]|[A-Za-z]:)/;
const timeoutMs = 60_000;

/** Compiles to `outfile`. Throws `PLUGIN_COMPILE` (422) with file, line and message of the first errors. */
export async function compileEntry({ root, entry, outfile, sdkDir }: Compilation): Promise<void> {
  const realRoot = await realpath(root);
  const source = join(realRoot, entry);
  try {
    await runEsbuild({
      absWorkingDir: realRoot,
      entryPoints: [source],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      sourcemap: "inline",
      tsconfigRaw: {},
      conditions: [],
      logLevel: "silent",
      define: sdkDir === undefined ? {} : { "import.meta.url": JSON.stringify(pathToFileURL(source).href) },
      plugins: [sdkDir === undefined ? ownFiles(realRoot, outside) : ownFiles(realRoot, fromSources(sdkDir))],
    });
  } catch (error) {
    throw compileError(entry, error);
  }
}

type ResolvePackage = (build: PluginBuild, args: OnResolveArgs) => Promise<OnResolveResult>;

/** What is imported by path must lie inside the folder; packages are left to `resolvePackage`. */
function ownFiles(root: string, resolvePackage: ResolvePackage): EsbuildPlugin {
  return {
    name: "own-files",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === marked || args.kind === "entry-point") return undefined;
        if (isBuiltin(args.path) || /^(?:node|data|https?):/.test(args.path))
          return { path: args.path, external: true };
        if (!ownPath.test(args.path)) return resolvePackage(build, args);
        const found = await resolveAgain(build, args);
        if (found.errors.length > 0 || isInside(root, found.path)) return found;
        return { errors: [{ text: `"${args.path}" leads outside the plugin's folder` }] };
      });
    },
  };
}

async function outside(_: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult> {
  return { path: args.path, external: true };
}

function fromSources(sdkDir: string): ResolvePackage {
  return async (build, args) => {
    const sdk = /^@chela\/sdk(\/.*)?$/.exec(args.path);
    if (sdk) return { path: await sdkUrl(sdkDir, `.${sdk[1] ?? ""}`), external: true };
    const found = await resolveAgain(build, args);
    if (found.errors.length > 0) return found;
    return { path: pathToFileURL(found.path).href, external: true };
  };
}

function resolveAgain(build: PluginBuild, { path, importer, resolveDir, kind }: OnResolveArgs) {
  return build.resolve(path, { importer, resolveDir, kind, pluginData: marked });
}

/** URL of what `@chela/sdk` (subpath `.`) or `@chela/sdk/testing` is in the host's own copy. */
async function sdkUrl(sdkDir: string, subpath: string): Promise<string> {
  const exports: unknown = JSON.parse(await readFile(join(sdkDir, "package.json"), "utf8")).exports;
  const target = isObject(exports) ? exports[subpath] : undefined;
  const file = isObject(target) ? target.default : target;
  if (typeof file !== "string") throw new GatewayError("PLUGIN_COMPILE", 422, `@chela/sdk has no export "${subpath}"`);
  return pathToFileURL(join(await realpath(sdkDir), file)).href;
}

/** esbuild's own process is one per process of ours, whatever number of hosts there are: builds take turns with it. */
const turns = { last: Promise.resolve() as Promise<unknown> };

function runEsbuild(options: BuildOptions): Promise<void> {
  const turn = turns.last.then(() => buildOnce(options));
  turns.last = turn.catch(() => undefined);
  return turn;
}

/** esbuild's process stays for the next build; a gateway that installs once a month has no use for it, so it goes. */
async function buildOnce(options: BuildOptions): Promise<void> {
  const { build, stop } = await loadEsbuild();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it takes more than ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    await Promise.race([build(options), late]);
  } finally {
    clearTimeout(timer);
    await stop();
  }
}

async function loadEsbuild(): Promise<typeof import("esbuild")> {
  try {
    return await import("esbuild");
  } catch (cause) {
    const message =
      "TypeScript plugins need the package esbuild, which is not installed here. Install the plugin as compiled JavaScript.";
    throw new GatewayError("PLUGIN_COMPILE", 422, message, {}, { cause });
  }
}

interface BuildProblem {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function compileError(entry: string, error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  const problems = (error as { errors?: readonly BuildProblem[] }).errors ?? [];
  const lines = problems
    .slice(0, 5)
    .map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column + 1} ${text}` : text,
    );
  const why = lines.length > 0 ? lines.join("; ") : (error as Error).message;
  return new GatewayError(
    "PLUGIN_COMPILE",
    422,
    `${entry} does not compile: ${why}`,
    { problems: lines },
    { cause: error },
  );
}
