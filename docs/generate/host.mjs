/** What the built program says of itself: a real host in memory with every built-in plugin, and the built command line. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** `{builtins, openapi, configSchema, hookKinds}`. */
export async function askTheBuild(root) {
  const load = (file) => import(pathToFileURL(join(root, "dist", file)).href);
  const builtins = JSON.parse(readFileSync(join(root, "dist/builtins.json"), "utf8"));
  const plugins = await Promise.all(builtins.map(async ({ file }) => (await load(file)).default));
  const { startHost } = await load("sdk/testing.js");
  const { hookKinds } = await load("sdk/index.js");
  const host = await startHost({ plugins, config: {} });
  try {
    const idle = host.plugins.list().filter(({ state }) => state !== "running");
    if (idle.length > 0) throw new Error(`${idle[0].id} does not run: ${idle[0].reason}`);
    return { builtins, hookKinds, openapi: host.gateway.openapi(), configSchema: await configSchema(root) };
  } finally {
    await host.stop();
  }
}

/** As `chela config schema --json` prints it. */
async function configSchema(root) {
  const stateDir = mkdtempSync(join(tmpdir(), "chela-docs-"));
  try {
    const args = [join(root, "dist/chela.js"), "config", "schema", "--json", "--state-dir", stateDir];
    const env = { PATH: process.env.PATH, HOME: stateDir };
    return JSON.parse((await promisify(execFile)(process.execPath, args, { env, maxBuffer: 2 ** 26 })).stdout);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}
