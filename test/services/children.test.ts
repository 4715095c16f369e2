/** The `children` service: no shell, no secret of ours, nobody left behind. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Children, children, definePlugin, need } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

const node = process.execPath;
const limits = { timeoutMs: 60_000, maxBytes: 100_000 };

async function borrower(): Promise<{ host: TestHost; use: Children; cwd: string }> {
  let use: Children | undefined;
  const plugin = definePlugin({
    id: "borrower",
    version: "1.0.0",
    host: "^1.0.0",
    needs: { children: need(children, "^1.0.0") },
    setup: (ctx) => {
      use = ctx.use.children;
    },
  });
  const host = await startHost({ plugins: [plugin] });
  onTestFinished(() => host.stop());
  return { host, use: use as Children, cwd: tempDir("children") };
}

const script = (code: string) => ({ command: node, args: ["-e", code] });

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that its new parent has not reaped yet is gone for our purpose.
    return process.platform !== "linux" || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe("a child that is run to its end", () => {
  afterEach(() => {
    delete process.env.CHELA_CANARY;
    delete process.env.MY_API_KEY;
  });

  it("gets its arguments as they are, its input, and tells what came of it", async () => {
    const { use, cwd } = await borrower();
    const code =
      "process.stdin.on('data', (d) => process.stdout.write(d)); console.error(process.argv.slice(1).join('|'), process.cwd()); process.exitCode = 3";
    const ran = await use.run(
      { command: node, args: ["-e", code, "--", "$(id)", "a b", "`x`"], cwd },
      { ...limits, input: "hello 你好" },
    );
    expect(ran).toMatchObject({ code: 3, stdout: "hello 你好", ended: "", dropped: 0 });
    expect(ran.stderr).toContain("$(id)|a b|`x`");
    expect(ran.stderr).toContain("children");
  });

  it("is not started for whoever has left already", async () => {
    const { use, cwd } = await borrower();
    const spec = { command: "/bin/sh", args: ["-c", "echo ran >> proof"], cwd };
    for (let time = 0; time < 20; time += 1)
      expect(await use.run(spec, { ...limits, signal: AbortSignal.abort() })).toMatchObject({
        code: null,
        ended: "aborted",
      });
    expect(existsSync(join(cwd, "proof"))).toBe(false);
  });

  it("knows of our environment what is on the list, and nothing else", async () => {
    process.env.CHELA_CANARY = "canary";
    process.env.MY_API_KEY = "canary";
    const { use, cwd } = await borrower();
    const ran = await use.run(
      { ...script("console.log(JSON.stringify(process.env))"), cwd, env: { OWN: "yes" } },
      limits,
    );
    expect(ran.stdout).not.toContain("canary");
    expect(JSON.parse(ran.stdout)).toMatchObject({ OWN: "yes", PATH: process.env.PATH });
  });

  it.each([
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "GIT_SSH_COMMAND",
    "BASH_ENV",
    "node_options",
    "CHELA_GATEWAY_TOKEN",
    "A=B",
  ])("may not be given %s", async (name) => {
    const { use, cwd } = await borrower();
    const run = use.run({ ...script("1"), cwd, env: { [name]: "x" } }, limits);
    await expect(run).rejects.toMatchObject({ code: "CHILD_ENV", status: 400 });
  });

  it("that is not there is an error that says so", async () => {
    const { use, cwd } = await borrower();
    const run = use.run({ command: "no-such-program-here", cwd }, limits);
    await expect(run).rejects.toMatchObject({ code: "CHILD_NOT_FOUND", status: 404 });
    expect(await use.which("no-such-program-here")).toBeUndefined();
    expect(await use.which(node)).toBe(node);
  });

  it("and says too much keeps its beginning and its end", async () => {
    const { use, cwd } = await borrower();
    const code =
      "process.stdout.write('A'.repeat(10)); process.stdout.write('x'.repeat(3e6)); process.stdout.write('Z'.repeat(10))";
    const ran = await use.run({ ...script(code), cwd }, { ...limits, maxBytes: 1000 });
    expect(ran.stdout.startsWith("AAAAAAAAAA")).toBe(true);
    expect(ran.stdout.endsWith("ZZZZZZZZZZ")).toBe(true);
    expect(ran.stdout).toContain(`[${3_000_020 - 1000} bytes left out]`);
    expect(ran).toMatchObject({ code: 0, dropped: 3_000_020 - 1000 });
  });

  it("takes its grandchildren along when its time is over", async () => {
    const { use, cwd } = await borrower();
    const file = join(cwd, "pid");
    const grandchild = `const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }); require('fs').writeFileSync(${JSON.stringify(file)}, String(c.pid)); setInterval(() => {}, 1e6)`;
    const leave = new AbortController();
    const running = use.run({ ...script(grandchild), cwd }, { ...limits, signal: leave.signal });
    const pid = await until(() => pidIn(file), 30_000, "the grandchild");
    leave.abort();
    expect(await running).toMatchObject({ ended: "aborted", code: null });
    await until(() => !alive(pid), 10_000, "the grandchild's end");
    const late = await use.run({ ...script("setInterval(() => {}, 1e6)"), cwd }, { ...limits, timeoutMs: 300 });
    expect(late.ended).toBe("timeout");
  });
});

describe("a child that stays", () => {
  it("ends with the plugin's scope, whatever it does about SIGTERM, and leaves the census as it was", async () => {
    const { host, use, cwd } = await borrower();
    const before = host.census();
    const stubborn = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)";
    const child = await use.start({ ...script(stubborn), cwd });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(host.census().child).toBe(1);
    await host.plugins.disable("borrower", "test");
    expect(alive(child.pid)).toBe(false);
    expect((await child.exit).signal).toBe("SIGKILL");
    await expect(use.start({ ...script("1"), cwd })).rejects.toMatchObject({ code: "SCOPE_CLOSED" });
    await host.plugins.enable("borrower", "test");
    expect(host.census()).toEqual(before);
  });

  it("that ends by itself is owned no longer", async () => {
    const { host, use, cwd } = await borrower();
    mkdirSync(join(cwd, "sub"));
    const child = await use.start({ ...script("require('fs').writeFileSync('out', 'x')"), cwd: join(cwd, "sub") });
    expect(await child.exit).toEqual({ code: 0, signal: null });
    await until(() => host.census().child === undefined, 5000, "the census");
    expect(readFileSync(join(cwd, "sub/out"), "utf8")).toBe("x");
  });
});

function pidIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}
