/** Why a gateway did not start, in its exit code and in one sentence. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../kit/cli.ts";
import { startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

function run(stateDir: string, ...args: string[]) {
  return runCli(["gateway", "run", "--port", "0", ...args], {
    env: { CHELA_STATE_DIR: stateDir, CHELA_DISCOVERY: "off" },
  });
}

function withConfig(text: string): string {
  const stateDir = tempDir("exit");
  writeFileSync(join(stateDir, "config.json"), text);
  return stateDir;
}

describe("gateway run ends with", () => {
  it("1 for a file that does not parse, naming line and column, and leaves the file alone", async () => {
    const text = '{\n  "gateway": { "port": 1 \n}\n';
    const stateDir = withConfig(text);
    const result = await run(stateDir);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/config\.json.*(line 4|4:\d)/s);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(readFileSync(join(stateDir, "config.json"), "utf8")).toBe(text);
  });

  it("1 for a gateway section that cannot be used, naming the key", async () => {
    const result = await run(withConfig('{"gateway":{"reload":{"mode":"sometimes"}}}'));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("gateway.reload.mode must");
  });

  it.runIf(existsSync("/proc/self"))("1, and at all, where no folder can be made", async () => {
    const result = await run("/proc/no/such");
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("/proc/no/such cannot be written") });
  });

  it("makes a state dir with all that is missing above it, for its owner alone", async () => {
    const stateDir = join(tempDir("exit"), "a/b");
    await (await startGateway({ stateDir })).fetch("/health");
    expect([stateDir, join(stateDir, "..")].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  it("1 for a state dir that cannot be written, naming the path", async () => {
    const stateDir = tempDir("exit");
    writeFileSync(join(stateDir, "file"), "");
    const result = await run(join(stateDir, "file", "state"));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(join(stateDir, "file", "state"));
  });

  it("2 for a port in use, naming it", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await until(() => squatter.listening);
    const { port } = squatter.address() as { port: number };
    const result = await runCli(["gateway", "run", "--port", String(port)], {
      env: { CHELA_STATE_DIR: tempDir("exit"), CHELA_DISCOVERY: "off" },
    });
    squatter.close();
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(String(port));
  });

  it("3 for a bind beyond this machine without auth, saying what to set", async () => {
    const result = await run(withConfig('{"gateway":{"auth":{"mode":"none"}}}'), "--bind", "lan");
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("gateway.auth");
  });

  it("4 for a damaged store, naming the file", async () => {
    const stateDir = tempDir("exit");
    const folder = join(stateDir, "data", "store");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "chela.db"), "this is no database, but it is long enough to have a header".repeat(100));
    const result = await run(stateDir);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain("chela.db");
  });

  it("1 for a second gateway on one state dir, naming the first's pid", async () => {
    const first = await startGateway();
    const second = await run(first.stateDir);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(first.child.pid));
    expect((await first.fetch("/health")).status).toBe(200);
  });

  it("0 on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const gateway = await startGateway();
      gateway.signal(signal);
      expect(await gateway.ended).toBe(0);
    }
  });
});

it("starts in a folder whose mode is too open, and keeps its own files to itself", async () => {
  const stateDir = tempDir("exit");
  chmodSync(stateDir, 0o755);
  const gateway = await startGateway({ stateDir });
  const { statSync } = await import("node:fs");
  expect(statSync(join(stateDir, "token")).mode & 0o777).toBe(0o600);
  expect(statSync(join(stateDir, "gateway.json")).mode & 0o777).toBe(0o600);
  gateway.signal("SIGTERM");
  await gateway.ended;
});
