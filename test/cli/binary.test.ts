/** The built binary as people run it: quick to help, kind to pipes, and `gateway run --force`. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGatewayFile } from "../../kernel/process/gateway-file.ts";
import { binary } from "../kit/binary.ts";
import { runCli } from "../kit/cli.ts";
import { startGateway } from "../kit/gateway.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

/** Milliseconds of processor time, the best of several runs in turn: a busy machine stretches the clock, not these. */
function processorTime(...runs: string[][]): number[] {
  const probe = join(tempDir(), "probe.cjs");
  writeFileSync(
    probe,
    'process.on("exit", () => { const { user, system } = process.cpuUsage(); require("fs").writeSync(2, "cpu=" + (user + system)); });',
  );
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 6; round += 1) {
    for (const [index, args] of runs.entries()) {
      const { stderr } = spawnSync(process.execPath, ["--require", probe, ...args], { encoding: "utf8" });
      const micros = Number(/cpu=(\d+)$/.exec(stderr)?.[1]);
      best[index] = Math.min(best[index] as number, micros / 1000);
    }
  }
  return best;
}

/** The files that are read before the first command line is understood. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g)) {
    staticImports(join(dirname(file), path as string), seen);
  }
  return seen;
}

test.runIf(existsSync("/dev/full"))("output that cannot be written is said, and is no fault of Chela", () => {
  const { status, stderr } = spawnSync("sh", ["-c", '"$0" "$1" version > /dev/full', process.execPath, binary()], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining("The output cannot be written: ENOSPC"),
  });
});

describe("help", () => {
  test("takes hardly longer than node itself", () => {
    const [help, bare] = processorTime([binary(), "--help"], ["-e", "0"]) as [number, number];
    // As a ratio, so that a slow machine is none the worse for it.
    expect(help / bare).toBeLessThan(2.2);
  });

  test("reads nothing of the host", () => {
    const main = /import\("(\.\/chunks\/main-[^"]+)"\)/.exec(readFileSync(binary(), "utf8"))?.[1] as string;
    const files = [...staticImports(join(dirname(binary()), main), staticImports(binary()))];
    const text = files.map((file) => readFileSync(file, "utf8"));
    expect(text.reduce((sum, one) => sum + one.length, 0)).toBeLessThan(120_000);
    for (const word of ["typebox", "tapable", "ajv", "node:http", "node:fs"]) {
      expect(
        text.filter((one) => one.toLowerCase().includes(word) && !one.includes("Commander")),
        word,
      ).toEqual([]);
    }
  });
});

test("runs with nothing but PATH and HOME, from any folder", async () => {
  const cwd = tempDir();
  expect(await runCli(["version"], { cwd })).toMatchObject({ code: 0, stderr: "" });
  expect((await runCli(["nope"], { cwd, env: { HOME: cwd } })).code).toBe(1);
});

test("a reader that has seen enough is no fault", async () => {
  const child = spawn(process.execPath, [binary(), "config", "schema"], {
    env: { PATH: process.env.PATH, HOME: tempDir() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("a second gateway on a state dir names the first; --force replaces it", async () => {
  const first = await startGateway();
  const env = { CHELA_STATE_DIR: first.stateDir, CHELA_DISCOVERY: "off" };
  const refused = await runCli(["gateway", "run", "--port", "0"], { env });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`pid ${first.child.pid}, port ${new URL(first.url).port}`);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  const second = await startGateway({ stateDir: first.stateDir, args: ["--force"], bare: true });
  expect(await first.ended).toBe(0);
  await until(
    async () => (await readGatewayFile(first.stateDir))?.pid === second.child.pid,
    10_000,
    "the second to serve",
  );
  expect(second.output().stderr).toContain(`Stopping the gateway with pid ${first.child.pid}`);
});

test("--force leaves other programs alone: a stale file that names one, and one on the port", async () => {
  const stateDir = tempDir();
  const other = spawn(
    process.execPath,
    [
      "-e",
      "require('http').createServer((q, s) => s.end('hi')).listen(0, '127.0.0.1', function () { console.log(this.address().port) })",
    ],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  try {
    const [chunk] = (await once(other.stdout, "data")) as [Buffer];
    const port = String(chunk).trim();
    const facts = {
      pid: other.pid,
      host: "127.0.0.1",
      port: Number(port),
      url: `http://127.0.0.1:${port}`,
      startedAt: 1,
    };
    writeFileSync(join(stateDir, "gateway.json"), JSON.stringify(facts));
    const env = { CHELA_STATE_DIR: stateDir, CHELA_DISCOVERY: "off" };
    const named = await runCli(["gateway", "run", "--force", "--port", port], { env });
    expect(named.code).toBe(1);
    expect(named.stderr).toContain("does not answer as this gateway");
    writeFileSync(join(stateDir, "gateway.json"), "{}");
    expect((await runCli(["gateway", "run", "--force", "--port", port], { env })).code).toBe(2);
    expect(other.exitCode).toBeNull();
    expect(other.signalCode).toBeNull();
  } finally {
    other.kill();
  }
});

test("install, list, command, update and uninstall while the gateway serves", async () => {
  const gateway = await startGateway();
  const cwd = tempDir();
  const source = (version: string) => ({
    "toy/package.json": JSON.stringify({
      name: "toy",
      version,
      type: "module",
      exports: "./index.ts",
      chela: { id: "toy", host: "^1.0.0" },
    }),
    "toy/index.ts": `import { definePlugin } from "@chela/sdk";\nexport default definePlugin({ id: "toy", version: "${version}", host: "^1.0.0", setup(ctx) { ctx.command({ name: "toy-version", about: "Tells it", access: "read", run: () => ({ version: "${version}" }) }); } });\n`,
  });
  writeTree(cwd, source("1.0.0"));
  const chela = (...args: string[]) => runCli([...args, "--json"], { cwd, env: { CHELA_STATE_DIR: gateway.stateDir } });
  expect((await chela("plugins", "install", "./toy")).json()).toMatchObject({
    ok: true,
    id: "toy",
    version: "1.0.0",
    state: "running",
    changed: true,
  });
  expect((await chela("plugins", "install", "toy")).json()).toMatchObject({
    ok: true,
    changed: false,
    state: "running",
  });
  expect((await chela("toy-version")).json()).toEqual({ version: "1.0.0" });
  writeTree(cwd, source("1.1.0"));
  expect((await chela("plugins", "update", "toy")).json()).toMatchObject([
    { id: "toy", previous: "1.0.0", version: "1.1.0", state: "running" },
  ]);
  expect((await chela("toy-version")).json()).toEqual({ version: "1.1.0" });
  expect((await chela("plugins", "uninstall", "toy")).json()).toMatchObject({ ok: true, changed: true });
  expect((await chela("plugins", "uninstall", "toy")).json()).toMatchObject({ ok: true, changed: false });
  expect((await chela("toy-version")).code).toBe(1);
  expect(
    (await chela("doctor")).json<{ findings: { check: string; ok: boolean }[] }>().findings.filter(({ ok }) => !ok),
  ).toEqual([]);
  expect((await chela("status")).json()).toMatchObject({ running: true, pid: gateway.child.pid });
});
