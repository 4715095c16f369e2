/** `plugins …` and `doctor` in a state dir while no gateway runs. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { distFile } from "../kit/binary.ts";
import { type CliResult, runMain } from "../kit/cli.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

let stateDir = "";

beforeEach(() => {
  distFile("builtins.json");
  stateDir = tempDir();
  writeTree(stateDir, { "config.json": '{"gateway":{"port":0}}' });
  chmodSync(join(stateDir, "config.json"), 0o600);
});

function chela(...args: string[]): Promise<CliResult> {
  return runMain(args, { cwd: stateDir, env: { CHELA_STATE_DIR: stateDir } });
}

function pluginFolder(id: string, version: string, host = "^1.0.0"): string {
  const dir = join(tempDir(), id);
  const facts = { name: id, version, type: "module", exports: "./index.js", chela: { id, host } };
  const code = `import { definePlugin } from "@chela/sdk";\nexport default definePlugin({ id: "${id}", version: "${version}", host: "${host}", about: "An example", setup() {} });\n`;
  writeTree(dir, { "package.json": JSON.stringify(facts), "index.js": code });
  return dir;
}

interface Row {
  readonly id: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

async function row(id: string): Promise<Row | undefined> {
  return (await chela("plugins", "list", "--json")).json<Row[]>().find((one) => one.id === id);
}

test("list: every built-in with version, state and reason", async () => {
  const rows = (await chela("plugins", "list", "--json")).json<Row[]>();
  expect(rows.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["api-config", "chat", "keys", "logs", "openai", "providers", "store"]),
  );
  for (const one of rows)
    expect(one).toMatchObject({ version: "1.0.0", state: "waiting", reason: "starts with the gateway" });
  expect((await chela("plugins", "list")).stdout).toMatch(/^id +version +state +reason\n/);
});

test("a switch is an edit of the config, and doing it twice says so", async () => {
  expect((await chela("plugins", "disable", "metrics", "--json")).json()).toMatchObject({
    ok: true,
    id: "metrics",
    state: "disabled",
    changed: true,
  });
  expect(JSON.parse(readFileSync(join(stateDir, "config.json"), "utf8"))).toMatchObject({
    plugins: { entries: { metrics: { enabled: false } } },
  });
  expect(await chela("plugins", "disable", "metrics")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("off already"),
  });
  expect((await chela("plugins", "enable", "metrics", "--json")).json()).toMatchObject({
    changed: true,
    state: "waiting",
  });
  expect((await chela("plugins", "enable", "metrics", "--json")).json()).toMatchObject({ changed: false });
  expect(await chela("plugins", "disable", "metrcis")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("metrics"),
  });
});

test("install, the same again, upgrade, update, uninstall, the same again", async () => {
  const dir = pluginFolder("weather", "1.0.0");
  expect((await chela("plugins", "install", dir, "--json")).json()).toMatchObject({
    ok: true,
    id: "weather",
    version: "1.0.0",
    previous: null,
    changed: true,
  });
  expect((await chela("plugins", "install", dir)).stdout).toContain("installed already");
  expect(await row("weather")).toMatchObject({ version: "1.0.0", state: "waiting" });
  expect((await chela("plugins", "info", "weather")).stdout).toContain("An example");
  expect((await chela("plugins", "update", "--json")).json()).toMatchObject([
    { ok: true, id: "weather", changed: false },
  ]);
  for (const file of ["package.json", "index.js"]) {
    writeFileSync(
      join(dir, file),
      readFileSync(join(dir, file), "utf8").replaceAll("1.0.0", "1.1.0").replaceAll("^1.1.0", "^1.0.0"),
    );
  }
  expect((await chela("plugins", "update", "weather")).stdout).toBe("weather: 1.0.0 to 1.1.0\n");
  expect(await row("weather")).toMatchObject({ version: "1.1.0" });
  rmSync(dir, { recursive: true });
  expect(await chela("plugins", "update", "weather")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("failed: weather"),
  });
  expect((await chela("plugins", "uninstall", "weather", "--json")).json()).toMatchObject({ ok: true, changed: true });
  expect((await chela("plugins", "uninstall", "weather", "--json")).json()).toMatchObject({ ok: true, changed: false });
  expect(await row("weather")).toBeUndefined();
});

test.each([
  [["plugins", "install", "./nowhere"], "neither a folder"],
  [["plugins", "uninstall", "chat"], "cannot be uninstalled"],
  [["plugins", "uninstall", "never-there"], "no plugin"],
  [["plugins", "update", "chat"], "part of Chela"],
  [["plugins", "update", "nope"], "not installed"],
  [["plugins", "new", "../evil"], ""],
  [["plugins", "new", "chat"], ""],
])("%j is refused in one line", async (args, text) => {
  const { code, stdout, stderr } = await chela(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(text);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("an incompatible plugin is refused, and doctor names a broken one", async () => {
  expect(await chela("plugins", "install", pluginFolder("future", "1.0.0", "^9.0.0"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("^9.0.0"),
  });
  expect((await chela("plugins", "doctor")).code).toBe(0);
  await chela("plugins", "install", pluginFolder("weather", "1.0.0"));
  const lock = JSON.parse(readFileSync(join(stateDir, "plugins/lock.json"), "utf8")) as {
    plugins: { weather: { folder: string } };
  };
  rmSync(join(stateDir, "plugins", lock.plugins.weather.folder), { recursive: true });
  const report = await chela("plugins", "doctor", "--json");
  expect(report.code).toBe(1);
  expect(report.json()).toMatchObject({ ok: false, findings: [{ level: "error", plugin: "weather" }] });
  expect((await chela("doctor")).code).toBe(1);
});

test("new writes a plugin that installs", async () => {
  expect((await chela("plugins", "new", "hello", "--json")).json()).toMatchObject({
    ok: true,
    id: "hello",
    dir: join(stateDir, "hello"),
  });
  expect(existsSync(join(stateDir, "hello/README.md"))).toBe(true);
  expect(await chela("plugins", "new", "hello")).toMatchObject({ code: 1 });
  expect((await chela("plugins", "install", "./hello")).code).toBe(0);
  expect((await chela("plugins", "new", "@me/other", "--dir", "elsewhere", "--json")).json()).toMatchObject({
    dir: join(stateDir, "elsewhere"),
  });
});

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  readonly fix: string;
}

async function findings(): Promise<{ code: number; bad: readonly Finding[]; all: readonly Finding[] }> {
  const result = await chela("doctor", "--json");
  const { findings: all } = result.json<{ findings: Finding[] }>();
  return { code: result.code, bad: all.filter((finding) => !finding.ok), all };
}

test("doctor: all is well on a good state dir, each check is there", async () => {
  const { code, all, bad } = await findings();
  expect(bad).toEqual([]);
  expect(code).toBe(0);
  expect(all.map(({ check }) => check)).toEqual([
    "node",
    "state dir",
    "config",
    "auth",
    "gateway",
    "port",
    "plugins",
    "disk",
    "clock",
  ]);
  expect((await chela("doctor")).stdout).toContain("All is well.");
});

test("doctor: open modes, a weak token, a bad config, a taken port, each with what to do", async () => {
  chmodSync(join(stateDir, "config.json"), 0o644);
  writeFileSync(join(stateDir, "config.json"), '{"gateway":{"port":0,"auth":{"token":"short"}}}');
  expect((await findings()).bad).toMatchObject([
    { check: "state dir", fix: expect.stringContaining("chmod go-rwx") },
    { check: "auth", message: expect.stringContaining("16 characters"), fix: expect.stringContaining("config set") },
  ]);
  chmodSync(join(stateDir, "config.json"), 0o600);
  writeFileSync(join(stateDir, "config.json"), '{"logging":{"level":"loud"}, "gateway":{"port":0}}');
  expect((await findings()).bad).toMatchObject([
    { check: "config", message: expect.stringContaining("logging.level") },
  ]);
  writeFileSync(join(stateDir, "config.json"), "{ nope");
  const broken = await findings();
  expect(broken.code).toBe(1);
  expect(broken.bad.map(({ check }) => check)).toContain("config");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ gateway: { port } }));
  expect((await findings()).bad).toMatchObject([
    { check: "port", message: expect.stringContaining("another program") },
  ]);
  writeFileSync(join(stateDir, "config.json"), '{"gateway":{"port":0,"bind":"lan","auth":{"mode":"none"}}}');
  expect((await findings()).bad).toMatchObject([
    { check: "auth", message: expect.stringContaining("refusing to listen") },
  ]);
});

test("doctor: whatever is wrong with the config, each finding says what to do and none blames Chela", async () => {
  const configPath = join(stateDir, "config.json");
  const texts = ["{ nope", '{"gateway":{"port":"x"}}', "\xff\xfe", '{"gateway":{"tls":{"certPath":"/nope.pem"}}}'];
  for (const text of texts) {
    writeFileSync(configPath, text, { encoding: "latin1", mode: 0o600 });
    const { bad } = await findings();
    expect(bad.length, text).toBeGreaterThan(0);
    for (const { message, fix } of bad) {
      expect(message, text).not.toContain("Internal fault");
      expect(fix, message).toMatch(/^\S.{10,}/);
    }
    expect((await chela("doctor")).stderr).toBe("");
  }
  rmSync(configPath);
  mkdirSync(configPath, { mode: 0o700 });
  expect((await findings()).bad[0]).toMatchObject({
    check: "config",
    message: `${configPath} cannot be read (EISDIR)`,
  });
});

test("doctor: TLS files that do not fit, and a clock behind what was written", async () => {
  const configPath = join(stateDir, "config.json");
  const tls = { certPath: join(stateDir, "no.pem"), keyPath: join(stateDir, "no.pem") };
  writeFileSync(configPath, JSON.stringify({ gateway: { port: 0, tls } }));
  expect((await findings()).bad).toMatchObject([{ check: "tls", message: expect.stringContaining("certPath") }]);
  writeFileSync(configPath, '{"gateway":{"port":0}}');
  const tomorrow = Date.now() / 1000 + 86_400;
  utimesSync(configPath, tomorrow, tomorrow);
  expect((await findings()).bad).toMatchObject([{ check: "clock", message: expect.stringContaining(configPath) }]);
});

test("doctor before the first start changes nothing", async () => {
  const fresh = join(stateDir, "not/yet");
  const result = await runMain(["doctor"], { env: { CHELA_STATE_DIR: fresh, CHELA_GATEWAY_PORT: "0" } });
  expect(result.stdout).toContain("the first start makes it");
  expect(result.code).toBe(0);
  expect(existsSync(join(stateDir, "not"))).toBe(false);
});
