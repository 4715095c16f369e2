/** The command line itself: help, usage errors, exit codes, output forms. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../kernel/cli/commands.ts";
import { hostVersion } from "../../kernel/version.ts";
import { runMain } from "../kit/cli.ts";
import { tempDir } from "../kit/temp.ts";

const visible = commands.filter((spec) => !spec.hidden);

test("help lists every command, groups included, and nothing hidden", async () => {
  const { code, stdout, stderr } = await runMain(["--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const spec of visible) expect(stdout).toMatch(new RegExp(`^  ${spec.name.split(" ")[0]}\\b`, "m"));
  expect(stdout).not.toMatch(/^ {2}complete\b/m);
  expect(stdout).toContain("Examples:");
});

test.each(visible.map((spec) => spec.name))(
  "%s --help shows its options, the global ones and examples",
  async (name) => {
    const { code, stdout } = await runMain([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    const spec = commands.find((candidate) => candidate.name === name);
    for (const option of spec?.options ?? []) expect(stdout).toContain(option.flags);
    expect(stdout).toContain("--json");
    expect(stdout).toContain(spec?.examples[0]);
  },
);

test("every command is written in the table with a sentence and loads", async () => {
  for (const spec of commands) {
    expect(spec.about, spec.name).toMatch(/^[A-Z].{5,}/);
    expect(typeof (await spec.load()), spec.name).toBe("function");
  }
});

test("without a command: help and exit 1", async () => {
  const { code, stdout, stderr } = await runMain([]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("Usage: chela");
});

test.each([["-V"], ["--version"]])("%s prints the bare version", async (flag) => {
  expect(await runMain([flag])).toMatchObject({ code: 0, stdout: `${hostVersion}\n` });
});

test("version, for people and as JSON", async () => {
  expect((await runMain(["version"])).stdout).toContain(`chela ${hostVersion} (node v`);
  expect((await runMain(["version", "--json"])).json()).toMatchObject({ version: hostVersion, node: process.version });
  expect((await runMain(["--json", "version"])).json()).toMatchObject({ version: hostVersion });
});

test.each([
  [["stauts"], "Unknown command: stauts. Did you mean status?\n"],
  [["xyzzy", "--flag"], "Unknown command: xyzzy. See chela --help.\n"],
  [["config", "sett"], "Unknown command 'sett'. Did you mean set?\n"],
  [["status", "--jsn"], "Unknown option '--jsn'. Did you mean --json?\n"],
  [["config", "set", "a.b"], "Missing required argument 'value'. See chela config set --help.\n"],
  [["help", "statsu"], "Unknown command: statsu. Did you mean status?\n"],
  [["keys", "add", "x", "--scopes", ""], expect.stringContaining("--scopes takes read, write and admin")],
  [["plugins", "new", "x", "--dir", "n".repeat(300)], expect.stringContaining("Choose another folder with --dir")],
  [
    ["logs", "--level", "loud"],
    "Option '--level <level>' argument 'loud' is invalid. Allowed choices are debug, info, warn, error. See chela logs --help.\n",
  ],
  [["status", "extra"], expect.stringContaining("Too many arguments")],
  [["completion", "fishy"], expect.stringContaining("Did you mean fish?")],
  [["config", "set", "a.__proto__.b", "1"], expect.stringContaining("__proto__")],
  [["gateway", "run", "--port", "99999"], '--port must be a whole number from 0 to 65535, not "99999".\n'],
  [["--url", "ftp://x", "status"], expect.stringContaining("is no gateway address")],
  [["--url", "http://user:pw@127.0.0.1:1", "status"], expect.stringContaining("is no gateway address")],
])("%j: one line that says what to do, exit 1, no stack", async (args, stderr) => {
  expect(await runMain(args, { env: { CHELA_STATE_DIR: tempDir() } })).toMatchObject({ code: 1, stdout: "", stderr });
});

test("with --json a failure is a document on stdout", async () => {
  const { code, stdout, stderr, json } = await runMain(["stauts", "--json"], { env: { CHELA_STATE_DIR: tempDir() } });
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(json()).toEqual({
    ok: false,
    error: { code: "COMMAND_UNKNOWN", message: "Unknown command: stauts. Did you mean status?" },
  });
  expect(stdout).not.toContain("\u001b");
  for (const args of [["logs", "--level", "x"], ["plugins"], ["help", "nope"]]) {
    expect((await runMain([...args, "--json"])).json(), args.join(" ")).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/^(USAGE|COMMAND_UNKNOWN)$/) },
    });
  }
});

test("--verbose adds the stack, and only it does", async () => {
  const env = { CHELA_STATE_DIR: tempDir() };
  expect((await runMain(["keys", "list", "--verbose"], { env })).stderr).toMatch(/\n\s+at /);
  expect((await runMain(["keys", "list"], { env })).stderr).not.toMatch(/\n\s+at /);
});

test("colours on a terminal only, and never with NO_COLOR or --no-color", async () => {
  const env = { CHELA_STATE_DIR: tempDir() };
  const red = "\u001b[31m";
  expect((await runMain(["stauts"], { env, tty: true })).stderr).toContain(red);
  expect((await runMain(["stauts"], { env })).stderr).not.toContain(red);
  expect((await runMain(["stauts", "--no-color"], { env, tty: true })).stderr).not.toContain(red);
  expect((await runMain(["stauts"], { env: { ...env, NO_COLOR: "1" }, tty: true })).stderr).not.toContain(red);
  expect((await runMain(["stauts"], { env: { ...env, TERM: "dumb" }, tty: true })).stderr).not.toContain(red);
});

test("what the person typed cannot act on the terminal", async () => {
  const { stderr } = await runMain(["st\u001b[2Jx\u202e"], { env: { CHELA_STATE_DIR: tempDir() } });
  expect(stderr).toMatch(/^Unknown command: stx\./);
});

test.each([
  [["keys", "list"], 69],
  [["logs"], 69],
  [["chat", "-m", "hello"], 69],
  [["call", "gateway.status"], 69],
  [["config", "reload"], 69],
  [["plugins", "reload", "chat"], 69],
  [["plugins", "release", "chat"], 69],
  [["status"], 3],
  [["health"], 1],
])("%j without a gateway says how to start one: exit %i", async (args, code) => {
  const result = await runMain(args, { env: { CHELA_STATE_DIR: tempDir() } });
  expect(result.code).toBe(code);
  expect(result.stdout + result.stderr).toContain("chela gateway run");
  const asJson = await runMain([...args, "--json"], { env: { CHELA_STATE_DIR: tempDir() } });
  expect(asJson.code).toBe(code);
  expect(asJson.json()).toMatchObject({ error: { code: "GATEWAY_NOT_RUNNING" } });
});

test("logs without a gateway: what its last run wrote, and where that is", async () => {
  const stateDir = tempDir();
  const chela = (...args: string[]) => runMain(args, { env: { CHELA_STATE_DIR: stateDir } });
  const line = (level: string, msg: string) => JSON.stringify({ time: "2026-01-02T03:04:05.678Z", level, msg });
  const path = join(stateDir, "logs", "chela.log");
  mkdirSync(join(stateDir, "logs"));
  writeFileSync(path, `${line("INFO", "one")}\n${line("ERROR", "two")}\n${line("INFO", "three")}\nhalf a li`);
  const all = await chela("logs", "--limit", "2");
  expect(all).toMatchObject({ code: 0, stderr: `No gateway answers here; these lines are from ${path}.\n` });
  expect(all.stdout.trim().split("\n")).toEqual([expect.stringContaining("two"), expect.stringContaining("three")]);
  expect((await chela("logs", "--level", "warn", "--json")).json()).toMatchObject({ level: "ERROR", msg: "two" });
  expect((await chela("logs", "--follow")).code).toBe(69);
  await chela("config", "set", "logging.filename", "other.log");
  expect((await chela("logs")).code).toBe(69);
});
