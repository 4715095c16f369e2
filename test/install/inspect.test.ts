import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectEntry } from "../../kernel/plugins/inspect.ts";
import { installPlugin } from "../../kernel/plugins/install.ts";
import { childEnv } from "../../kernel/process/child.ts";
import { runChild } from "../../kernel/process/run-child.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { buildSdk, installOptions, pluginFolder } from "./kit.ts";

let sdk: Awaited<ReturnType<typeof buildSdk>>;
beforeAll(async () => {
  sdk = await buildSdk();
});
afterAll(() => sdk.remove());

function entry(code: string): string {
  const folder = tempDir("entry");
  writeTree(folder, { "package.json": '{"type":"module"}', "index.js": code });
  return join(folder, "index.js");
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe("what an import does, it does to the child only", () => {
  it.each([
    ["throws", "throw new Error('boom')", "boom"],
    ["throws nothing sensible", "throw null", "its import fails: null"],
    ["does not parse", "export default {", "its import fails"],
    ["imports what is not there", "import 'no-such-package-x'", '"no-such-package-x", which is not installed'],
    ["exits", "process.exit(0)", "ends the process (exit code 0)"],
    ["exits with a code", "process.exit(7)", "exit code 7"],
    ["kills itself", "process.kill(process.pid, 'SIGKILL')", "ends the process"],
    ["aborts", "process.abort()", "ends the process"],
    ["waits for ever without a reason", "await new Promise(() => {})", "ends the process"],
    [
      "writes without end",
      "for (;;) await new Promise((done) => process.stdout.write('x'.repeat(1e5), done))",
      "writes without end",
    ],
    ["exports nothing", "export const a = 1", "no default export"],
    ["exports a number", "export default 5", "no default export"],
    ["exports no setup", "export default { id: 'x', version: '1.0.0', host: '*' }", "setup must be a function"],
    ["exports what is no JSON", "const d = { id: 'x' }; d.d = d; export default d", "its import fails"],
    [
      "answers in its own name",
      "import { writeSync } from 'node:fs'; writeSync(3, 'no json'); export default {}",
      "ends the process",
    ],
  ])("%s", { timeout: 60_000 }, async (_, code, why) => {
    const file = entry(code);
    await expect(inspectEntry("x", file)).rejects.toMatchObject({
      code: "PLUGIN_MANIFEST",
      status: 422,
      message: expect.stringContaining(why),
    });
  });

  it.each(["setInterval(() => {}, 1000); await new Promise(() => {})", "for (;;);"])(
    "hangs: %s",
    { timeout: 30_000 },
    async (code) => {
      const file = entry(
        `import { writeFileSync } from "node:fs"; writeFileSync(new URL("./pid", import.meta.url), String(process.pid)); ${code}`,
      );
      const { readFileSync } = await import("node:fs");
      await expect(inspectEntry("x", file, 700)).rejects.toMatchObject({
        code: "PLUGIN_MANIFEST",
        message: expect.stringContaining("does not end within 0.7 s"),
      });
      const pid = Number(readFileSync(join(file, "../pid"), "utf8"));
      await until(() => isGone(pid), 3000, "the child's end");
    },
  );

  it("takes the children of the plugin along", async () => {
    const file = entry(`import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      writeFileSync(new URL("./pid", import.meta.url), String(child.pid)); child.unref(); export default {}`);
    await expect(inspectEntry("x", file)).rejects.toMatchObject({ code: "PLUGIN_MANIFEST" });
    const { readFileSync } = await import("node:fs");
    await until(() => isGone(Number(readFileSync(join(file, "../pid"), "utf8"))), 3000, "the grandchild's end");
  });

  it("does not keep an install waiting or half done", async () => {
    const options = installOptions(sdk.path);
    await expect(installPlugin(pluginFolder({ before: "process.exit(3);" }), options)).rejects.toMatchObject({
      code: "PLUGIN_MANIFEST",
    });
    expect(readdirSync(join(options.stateDir, "plugins"))).toEqual(["node_modules"]);
  });
});

describe("the environment of a child", () => {
  it("is an allowlist", () => {
    const env = childEnv([], {
      PATH: "/bin",
      HOME: "/h",
      CHELA_GATEWAY_TOKEN: "secret",
      NODE_OPTIONS: "--require=/evil.js",
      OPENAI_API_KEY: "sk",
      npm_config_registry: "x",
      LD_PRELOAD: "x",
    });
    expect(env).toEqual({ PATH: "/bin", HOME: "/h" });
  });

  it("is what the plugin's import sees", async () => {
    process.env.CHELA_TEST_SECRET = "hunter2";
    try {
      const file = entry(
        "export default { about: JSON.stringify(Object.keys(process.env)), id: 'x', version: '1.0.0', host: '^1.0.0', setup() {} }",
      );
      const { definition } = await inspectEntry("x", file);
      expect(JSON.parse(String(definition.about))).not.toContain("CHELA_TEST_SECRET");
    } finally {
      delete process.env.CHELA_TEST_SECRET;
    }
  });

  it("stops with the signal", async () => {
    const abort = new AbortController();
    const running = runChild([process.execPath, "-e", "setInterval(() => {}, 1000)"], {
      cwd: tempDir(),
      timeoutMs: 20_000,
      maxBytes: 100,
      signal: abort.signal,
    });
    abort.abort();
    expect(await running).toMatchObject({ code: null, ended: "aborted" });
  });

  it("rejects when there is nothing to run", async () => {
    await expect(
      runChild(["/no/such/program"], { cwd: tempDir(), timeoutMs: 1000, maxBytes: 100 }),
    ).rejects.toMatchObject({ code: "ENOENT" });
  });
});
