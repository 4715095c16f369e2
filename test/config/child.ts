/** Small programs around the config file, bundled so that a plain Node process can run them (and be killed). */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as fsPromises from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles TypeScript that imports from the project's root (`./kernel/config/file.ts`). Resolves to the program's path. */
export async function program(dir: string, source: string): Promise<string> {
  const outfile = join(dir, "program.mjs");
  await build({
    stdin: { contents: source, resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "silent",
    plugins: [dyingFiles],
    outfile,
  });
  return outfile;
}

/**
 * Lets a program die by SIGKILL at its N-th file operation (`DIE_AT=N`), of a write after half of its bytes: every moment at
 * which a crash can hit, one after the other.
 */
const dyingFiles: Plugin = {
  name: "dying-files",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:fs(\/promises)?$/ }, ({ path, namespace }) =>
      namespace === "dying" ? { path, external: true } : { path, namespace: "dying" },
    );
    onLoad({ filter: /.*/, namespace: "dying" }, ({ path }) => ({
      contents: path === "node:fs" ? dyingModule(path, Object.keys(fs)) : dyingModule(path, Object.keys(fsPromises)),
      resolveDir: root,
      loader: "js",
    }));
  },
};

/** Both modules count on, operation by operation; the operations of the callback kind are told by their names. */
function dyingModule(module: string, names: readonly string[]): string {
  const wrapped = names.filter((name) => name !== "default" && name !== "promises");
  return `
    import * as real from ${JSON.stringify(module)};
    const state = (globalThis.dying ??= { left: Number(process.env.DIE_AT ?? Infinity) });
    function step(half) {
      if (state.left-- > 0) return;
      half?.();
      process.kill(process.pid, "SIGKILL");
      for (;;);
    }
    const operations = /Sync$|^fsync$/;
    function wrap(name) {
      const call = real[name];
      if (typeof call !== "function" || !(operations.test(name) || ${module !== "node:fs"})) return call;
      const isWrite = name === "writeFileSync" || name === "appendFileSync";
      const dying = (file, data, ...rest) => {
        step(isWrite ? () => call(file, data.slice(0, data.length / 2), ...rest) : undefined);
        return call(file, data, ...rest);
      };
      return call.native ? Object.assign(dying, { native: (path) => (step(), call.native(path)) }) : dying;
    }
    export default real;
    ${wrapped.map((name) => `export const ${name} = wrap(${JSON.stringify(name)});`).join("\n")}
  `;
}

export interface RunOptions {
  /** Put before the command: limits. */
  readonly shell?: string;
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly printed: string;
  readonly signal: NodeJS.Signals | null;
}

/** Runs it to its end; it is killed when the test ends first. */
export async function run(path: string, options: RunOptions = {}): Promise<Ended> {
  const { shell, uid, env } = options;
  const command = shell ? ["sh", "-c", `${shell}; exec "$0" "$1"`, process.execPath, path] : [process.execPath, path];
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], uid, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, name) => resolve(name)));
  return { printed, signal };
}

/** Root passes every permission check: programs that must meet one run as nobody. */
export function unprivileged(...folders: string[]): { uid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const folder of folders) fs.chmodSync(folder, 0o755);
  return { uid: 65534 };
}
