/** Commands against a running gateway. */
import { writeFileSync } from "node:fs";
import { definePlugin, Type } from "@chela/sdk";
import { expect, test } from "vitest";
import apiConfig from "../../plugins/api-config/index.ts";
import keys from "../../plugins/keys/index.ts";
import logs from "../../plugins/logs/index.ts";
import { type CliResult, runMain } from "../kit/cli.ts";
import { liveHost } from "../kit/live.ts";
import { until } from "../kit/until.ts";

const toy = definePlugin({
  id: "toy",
  version: "1.2.3",
  host: "^1.0.0",
  about: "For tests",
  config: Type.Object({ word: Type.String({ default: "hi" }), cold: Type.String({ default: "" }) }),
  hot: ["word"],
  setup(ctx) {
    if (ctx.config.cold === "explode") throw new Error("this value cannot work");
    ctx.command({
      name: "greet",
      about: "Says a word",
      access: "read",
      args: Type.Object({ who: Type.Optional(Type.String()) }),
      run: ({ who }) => ({ said: `${ctx.config.word} ${who ?? "you"}` }),
    });
    ctx.health("mood", () => ({ ok: ctx.config.word !== "sad", word: ctx.config.word }));
    ctx.log.info("toy \u001b[31mis here");
  },
});
const plugins = [apiConfig, keys, logs, toy];

test("status tells pid, port, plugins, pending and trouble, and no secret", async () => {
  const { host, chela } = await liveHost({ plugins, config: { gateway: { reload: { mode: "hot" } } } });
  const facts = (await chela(["status", "--json"])).json<Record<string, unknown>>();
  expect(facts).toMatchObject({
    running: true,
    pid: process.pid,
    port: Number(new URL(host.url).port),
    pending: [],
    config: { trouble: null },
    plugins: expect.arrayContaining([
      expect.objectContaining({ id: "toy", version: "1.2.3", state: "running", reason: "" }),
    ]),
  });
  expect(JSON.stringify(facts)).not.toContain(host.token);
  expect((await chela(["config", "set", "plugins.entries.toy.config.cold", "x", "--json"])).json()).toMatchObject({
    pending: ["plugins.entries.toy.config.cold"],
  });
  const shown = await chela(["status"]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^Gateway +running$/m);
  expect(shown.stdout).toMatch(/^Waits for a restart +plugins\.entries\.toy\.config\.cold$/m);
});

test("config set applies at once and says what it did; a failing change is rolled back, exit 1", async () => {
  const { host, chela } = await liveHost({ plugins, config: {} });
  expect((await chela(["config", "set", "plugins.entries.toy.config.word", "hello"])).stdout).toBe(
    "Updated plugins.entries.toy.config.word.\n  applied: plugins.entries.toy.config.word\n",
  );
  expect((await chela(["greet", "--who", "Bob", "--json"])).json()).toEqual({ said: "hello Bob" });
  const bad = await chela(["config", "set", "plugins.entries.toy.config.cold", "explode"]);
  expect(bad).toMatchObject({ code: 1, stdout: "" });
  expect(bad.stderr).toMatch(/^Hot reload failed, config rolled back: toy: .*this value cannot work/);
  expect(host.config.get("plugins.entries.toy.config.cold", "file")).toEqual({ found: false });
  expect((await chela(["greet", "Bob"])).stdout).toContain("hello Bob");
});

test("config reload takes an edit by hand; one that does not parse exits 1 and status says so", async () => {
  const { host, chela } = await liveHost({ plugins, config: {} });
  writeFileSync(host.config.path, '{"plugins":{"entries":{"toy":{"config":{"word":"edited"}}}}}');
  expect((await chela(["config", "reload"])).code).toBe(0);
  expect((await chela(["greet", "--json"])).json()).toEqual({ said: "edited you" });
  writeFileSync(host.config.path, '{\n "plugins": }');
  expect(await chela(["config", "reload"])).toMatchObject({ code: 1, stderr: expect.stringContaining("line 2") });
  expect((await chela(["status", "--json"])).json()).toMatchObject({
    config: { trouble: { message: expect.stringContaining("line 2") } },
  });
  expect((await chela(["config", "check"])).code).toBe(1);
  expect((await chela(["greet", "--json"])).json()).toEqual({ said: "edited you" });
});

test("backups, diff, rollback, plan, schema and get go through the gateway", async () => {
  const { chela } = await liveHost({ plugins, config: { gateway: { auth: { token: "a-secret-of-some-length" } } } });
  const set = (word: string) => chela(["config", "set", "plugins.entries.toy.config.word", word]);
  const token = { env: { CHELA_GATEWAY_TOKEN: "a-secret-of-some-length" } };
  expect((await set("x")).stderr).toContain("refused the token");
  await chela(["config", "set", "plugins.entries.toy.config.word", "one"], token);
  await chela(["config", "set", "plugins.entries.toy.config.word", "two"], token);
  expect((await chela(["config", "backups", "--json"], token)).json()).toHaveLength(2);
  expect((await chela(["config", "diff"], token)).stdout).toMatch(/^\+.*two/m);
  expect((await chela(["config", "plan", "plugins.entries.toy.config.cold", "x", "--json"], token)).json()).toEqual([
    { path: "plugins.entries.toy.config.cold", class: "restart-plugin", owner: "toy" },
  ]);
  expect((await chela(["config", "rollback"], token)).code).toBe(0);
  expect((await chela(["config", "get", "plugins.entries.toy.config.word"], token)).stdout).toBe('"one"\n');
  expect((await chela(["config", "get", "gateway.auth.token"], token)).stdout).toBe('"__CHELA_REDACTED__"\n');
  expect((await chela(["config", "get", "plugins.entries.toy.config.wrd"], token)).stderr).toContain("Did you mean");
  expect((await chela(["config", "schema"], token)).stdout).toContain('"toy"');
});

test("a config that is not the gateway's is changed as a file", async () => {
  const { host, chela } = await liveHost({ plugins, config: {} });
  const other = `${host.stateDir}/other.json`;
  const result = await chela(["config", "set", "plugins.entries.toy.config.word", "elsewhere", "--config", other]);
  expect(result.stdout).toContain("applies at the next start");
  expect((await chela(["greet", "--json"])).json()).toEqual({ said: "hi you" });
});

test("plugins: list, info, off, on, twice, and the nearest name", async () => {
  const { chela } = await liveHost({ plugins, config: {} });
  const row = async () =>
    (await chela(["plugins", "list", "--json"])).json<{ id: string; state: string }[]>().find(({ id }) => id === "toy");
  expect(await row()).toMatchObject({ version: "1.2.3", state: "running", reason: "" });
  expect((await chela(["plugins", "disable", "toy", "--json"])).json()).toMatchObject({
    ok: true,
    id: "toy",
    state: "disabled",
    changed: true,
  });
  expect(await row()).toMatchObject({ state: "disabled" });
  expect(await chela(["plugins", "disable", "toy"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("off already"),
  });
  expect((await chela(["greet"])).stderr).toContain("Unknown command: greet");
  expect((await chela(["plugins", "enable", "toy"])).stdout).toBe("toy is on: running\n");
  expect((await chela(["plugins", "enable", "toy", "--json"])).json()).toMatchObject({ ok: true, changed: false });
  expect((await chela(["plugins", "info", "toy", "--json"])).json()).toMatchObject({
    contributions: { commands: [{ name: "greet", access: "read" }] },
    hot: ["word"],
  });
  expect((await chela(["plugins", "info", "toy"])).stdout).toMatch(/^Command +greet \(read\)$/m);
  expect((await chela(["plugins", "reload", "toy"])).stdout).toContain("set up anew");
  expect((await chela(["plugins", "release", "toy"])).code).toBe(0);
  expect(await chela(["plugins", "info", "tyo"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Did you mean toy?"),
  });
  expect((await chela(["plugins", "doctor", "--json"])).json()).toMatchObject({ ok: true });
});

test("health fails with a failing check and shows its facts", async () => {
  const { chela } = await liveHost({ plugins, config: {} });
  expect(await chela(["health"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok +toy +mood +word=hi$/m),
  });
  await chela(["config", "set", "plugins.entries.toy.config.word", "sad"]);
  const sad = await chela(["health", "--json"]);
  expect(sad.code).toBe(1);
  expect(sad.json()).toMatchObject({
    ok: false,
    checks: expect.arrayContaining([expect.objectContaining({ name: "mood", ok: false })]),
  });
});

test("keys: shown once, listed without, revoked twice; a lesser key cannot change anything", async () => {
  const { chela } = await liveHost({ plugins, config: {} });
  const made = (await chela(["keys", "add", "reader", "--scopes", "read", "--expires", "1d", "--json"])).json<{
    key: string;
    id: string;
  }>();
  expect(made.key).toMatch(/^chela_/);
  const listed = await chela(["keys", "list"]);
  expect(listed.stdout).toMatch(new RegExp(`^${made.id} +reader +read +active`, "m"));
  expect(listed.stdout).not.toContain(made.key);
  const as = ["--token", made.key];
  expect((await chela(["status", ...as])).code).toBe(0);
  const refused = await chela(["config", "set", "gateway.port", "1", ...as]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).not.toContain(made.key);
  expect((await chela(["keys", "revoke", "reader"])).stdout).toContain("Revoked reader");
  expect((await chela(["keys", "revoke", "reader", "--json"])).json()).toMatchObject({ ok: true, changed: false });
  expect((await chela(["status", ...as])).stderr).toContain("refused the token");
  expect(await chela(["keys", "add", "x", "--scopes", "root"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("root"),
  });
  const quiet = await chela(["keys", "add", "second"]);
  expect(quiet.stdout).toMatch(/^chela_\S+\n$/);
});

test("logs: newest lines, by level, as JSON lines, and nothing in them acts on the terminal", async () => {
  const { chela } = await liveHost({ plugins, config: {} });
  await until(async () => (await chela(["logs", "--limit", "200"])).stdout.includes("is here"), 5000, "the line");
  expect((await chela(["logs", "--limit", "200"])).stdout).not.toContain("\u001b");
  expect((await chela(["logs", "--level", "error"])).stdout).toBe("");
  const lines = (await chela(["logs", "--json", "--limit", "1"])).stdout.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] as string)).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
});

test("logs --follow shows what comes, across a restart, no line twice, until Ctrl-C", async () => {
  const { host, chela } = await liveHost({ plugins, config: {} });
  const signals = new Map<string, () => void>();
  let seen = "";
  const following: Promise<CliResult> = chela(["logs", "--follow", "--json"], {
    signals,
    onOutput: (text) => {
      seen = text;
    },
  });
  await until(() => seen.includes("is here"), 5000, "the lines before");
  await chela(["plugins", "reload", "toy"]);
  await until(() => seen.split("is here").length > 3, 5000, "the new line");
  await host.gateway.restart({ full: true, why: "test" });
  await chela(["plugins", "reload", "toy"]);
  await until(() => seen.split("is here").length > 7, 10_000, "the lines after the restart");
  signals.get("SIGINT")?.();
  const { code, stdout } = await following;
  expect(code).toBe(0);
  const lines = stdout.trim().split("\n");
  expect(new Set(lines).size).toBe(lines.length);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) });
});

test("without api-config the way back is open: the file is changed and the gateway can take it", async () => {
  const { host, chela } = await liveHost({ plugins, config: {} });
  expect((await chela(["plugins", "disable", "api-config"])).code).toBe(0);
  await until(async () => (await chela(["status"])).stderr.includes("api-config is not running"), 5000, "it to be off");
  expect((await chela(["plugins", "enable", "api-config"])).code).toBe(0);
  await host.config.reload("test");
  expect((await chela(["status"])).code).toBe(0);
});

test("--url reaches a gateway without a state dir", async () => {
  const { host } = await liveHost({ plugins, config: {} });
  const args = ["status", "--json", "--url", host.url, "--token", host.token];
  expect((await runMain(args, { env: { CHELA_STATE_DIR: "/nonexistent" } })).json()).toMatchObject({ running: true });
});
