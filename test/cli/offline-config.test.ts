/** `config …` on the file, while no gateway runs. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type CliResult, runMain } from "../kit/cli.ts";
import { tempDir } from "../kit/temp.ts";

let stateDir = "";
let configPath = "";

beforeEach(() => {
  stateDir = tempDir();
  configPath = join(stateDir, "config.json");
});

function chela(...args: string[]): Promise<CliResult> {
  return runMain(args, { env: { CHELA_STATE_DIR: stateDir } });
}

function file(): string {
  return readFileSync(configPath, "utf8");
}

test("set, get, unset: compact JSON, comments kept, mode 0600, and what applies when", async () => {
  writeFileSync(configPath, '{\n  // mine\n  "gateway": { "port": 18790 }\n}\n');
  const set = await chela("config", "set", "gateway.port", "18791");
  expect(set).toMatchObject({
    code: 0,
    stdout: "Updated gateway.port. No gateway is running: it applies at the next start.\n",
  });
  expect(file()).toContain("// mine");
  expect(statSync(configPath).mode & 0o777).toBe(0o600);
  expect((await chela("config", "get", "gateway")).stdout).toBe('{"port":18791}\n');
  expect((await chela("config", "set", "gateway.port", "18792", "--json")).json()).toMatchObject({
    ok: true,
    path: "gateway.port",
    applies: "later",
    failed: [],
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await chela("config", "unset", "gateway.port")).code).toBe(0);
  const again = await chela("config", "unset", "gateway.port");
  expect(again).toMatchObject({ code: 0, stdout: "gateway.port is not set.\n" });
});

test("a key that nobody knows is kept and warned about, with the name that was meant", async () => {
  const set = await chela("config", "set", "gateway.prot", "18791");
  expect(set.stdout).toContain("gateway.prot is not a known key; it is kept. Did you mean gateway.port?");
  expect((await chela("config", "set", "gateway.prot", "18792", "--json")).json()).toMatchObject({
    ok: true,
    warnings: [expect.stringContaining("gateway.prot")],
  });
  expect((await chela("config", "set", "gateway.port", "18792", "--json")).json()).toMatchObject({ warnings: [] });
});

test("a value that the environment goes before is told to have no effect, by set and by plan", async () => {
  const env = { CHELA_STATE_DIR: stateDir, CHELA_GATEWAY_PORT: "18793", CHELA_GATEWAY_TOKEN: "of-the-environment" };
  const why = "gateway.port stays 18793: the environment (CHELA_GATEWAY_PORT) and the command line go before the file";
  const plan = await runMain(["config", "plan", "gateway.port", "18792"], { env });
  expect(plan).toMatchObject({ code: 0, stdout: "No change.\n", stderr: `${why}.\n` });
  const set = (...args: string[]) => runMain(["config", "set", ...args, "--json"], { env });
  expect((await set("gateway.port", "18792")).json()).toMatchObject({ ok: true, warnings: [why] });
  expect((await set("gateway.port", "18793")).json()).toMatchObject({ warnings: [] });
  expect((await set("gateway.auth.token", "another")).json()).toMatchObject({ warnings: [] });
});

test("ClawGo's path and value rules", async () => {
  expect((await chela("config", "set", ".sentinel..enable.", "true")).code).toBe(0);
  expect(JSON.parse(file())).toEqual({ sentinel: { enabled: true } });
  await chela("config", "set", "a.text", "several", "bare", "words");
  await chela("config", "set", "a.quoted", '"7"');
  await chela("config", "set", "a.list", "[1,2]");
  await chela("config", "set", 'a["x.y"]', "-1");
  expect((await chela("config", "get", "a")).stdout).toBe(
    '{"text":"several bare words","quoted":"7","list":[1,2],"x.y":-1}\n',
  );
});

test("a path that is not there: exit 1, ClawGo's line, and the nearest name", async () => {
  writeFileSync(configPath, '{"gateway":{"port":1}}');
  expect(await chela("config", "get", "gateway.prot")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "Path not found: gateway.prot\nDid you mean gateway.port?\n",
  });
  expect((await chela("config", "get", "gateway.bind")).stderr).toContain("--merged");
  expect((await chela("config", "get", "gateway.bind", "--merged")).stdout).toBe('"loopback"\n');
  expect((await chela("config", "get", "nope.x", "--json")).json()).toMatchObject({
    ok: false,
    error: { code: "CONFIG_PATH_NOT_FOUND" },
  });
});

test.each(["__proto__.x", "gateway.constructor.y", "prototype"])("the path %s is refused everywhere", async (path) => {
  for (const args of [
    ["get", path],
    ["set", path, "1"],
    ["unset", path],
    ["plan", path, "1"],
  ]) {
    const { code, stderr } = await chela("config", ...args);
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
  }
});

test("secrets go in and never come out, and the marker keeps them", async () => {
  const secret = "correct-horse-battery-staple";
  await chela("config", "set", "gateway.auth.token", secret);
  await chela("config", "set", "gateway.auth.token", "another-secret-of-some-length");
  const seen = await Promise.all([
    chela("config", "get"),
    chela("config", "get", "--merged"),
    chela("config", "get", "gateway.auth.token"),
    chela("config", "diff"),
    chela("config", "check", "--json"),
    chela("config", "plan", "gateway.auth.token", secret),
    chela("config", "set", "gateway.auth.token", secret, "--json"),
  ]);
  for (const { stdout, stderr } of seen) expect(stdout + stderr).not.toMatch(/correct-horse|another-secret/);
  await chela("config", "set", "gateway.auth.token", "__CHELA_REDACTED__");
  expect(JSON.parse(file())).toEqual({ gateway: { auth: { token: secret } } });
});

test("an invalid value is refused with the path and the sentence, and nothing is written", async () => {
  writeFileSync(configPath, "{}");
  const { code, stderr } = await chela("config", "set", "gateway.port", "99999");
  expect({ code, stderr }).toEqual({ code: 1, stderr: "invalid config: gateway.port must be <= 65535\n" });
  expect(file()).toBe("{}");
  expect(
    (await chela("config", "set", "gateway.port", "1", "--base-hash", "0".repeat(64), "--json")).json(),
  ).toMatchObject({
    error: { code: "CONFIG_CONFLICT", details: { hash: expect.any(String) } },
  });
});

test("plan of a value and of a file", async () => {
  writeFileSync(configPath, "{}");
  expect((await chela("config", "plan", "gateway.port", "5", "--json")).json()).toEqual([
    { path: "gateway.port", class: "restart-gateway", owner: "gateway" },
  ]);
  const other = join(tempDir(), "other.json");
  writeFileSync(other, '{"logging":{"level":"debug"}}');
  expect((await chela("config", "plan", other, "--json")).json()).toEqual([
    { path: "logging.level", class: "hot", owner: "logs" },
  ]);
  expect((await chela("config", "plan", "gateway.port", "5")).stdout).toMatch(
    /^path +class +owner\ngateway\.port +restart-gateway +gateway\n$/,
  );
  expect((await chela("config", "plan", join(stateDir, "none.json"))).stderr).toContain("There is no file");
  expect(file()).toBe("{}");
});

test("backups, diff and rollback", async () => {
  expect((await chela("config", "backups", "--json")).json()).toEqual([]);
  await chela("config", "set", "gateway.port", "1");
  await chela("config", "set", "gateway.port", "2");
  const rows = (await chela("config", "backups", "--json")).json<{ id: string }[]>();
  expect(rows).toHaveLength(1);
  expect((await chela("config", "diff")).stdout).toMatch(/^-.*1$[\s\S]*^\+.*2$/m);
  expect((await chela("config", "rollback", rows[0]?.id as string)).code).toBe(0);
  expect((await chela("config", "get", "gateway.port")).stdout).toBe("1\n");
  expect((await chela("config", "rollback", "nope")).code).toBe(1);
});

test("check: errors fail, warnings do not, and a file that does not parse is named with line and column", async () => {
  writeFileSync(configPath, '{"unknown":1}');
  expect(await chela("config", "check")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("warning: unknown"),
  });
  writeFileSync(configPath, '{"gateway":{"port":"x"}}');
  expect(await chela("config", "check")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^Config validation failed:\n {2}- gateway\.port must/),
  });
  writeFileSync(configPath, '{\n  "gateway": [}');
  expect(await chela("config", "check")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("line 2, column 15"),
  });
  expect((await chela("config", "check", "--json")).json()).toMatchObject({
    ok: false,
    problems: [{ level: "error" }],
  });
  expect(await chela("config", "get", "gateway")).toMatchObject({ code: 1, stderr: expect.stringContaining("line 2") });
  expect(await chela("config", "set", "gateway.port", "1")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("line 2"),
  });
  expect(file()).toBe('{\n  "gateway": [}');
});

test("--config names another file, relative to where the command is typed", async () => {
  const cwd = tempDir();
  writeFileSync(join(cwd, "mine.json"), '{"gateway":{"port":7}}');
  const options = { cwd, env: { CHELA_STATE_DIR: stateDir } };
  expect((await runMain(["config", "get", "gateway.port", "--config", "mine.json"], options)).stdout).toBe("7\n");
});

test("schema is a JSON Schema of kernel and plugins", async () => {
  const schema = (await chela("config", "schema")).json<{ properties: Record<string, unknown> }>();
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(["gateway", "plugins", "logging", "models"]));
});
