/** What outsiders rely on in the command line: one gateway, driven by `chela` as a script would drive it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CliOptions, type CliResult, runCli } from "../kit/cli.ts";
import { writeTree } from "../kit/temp.ts";
import { ask, askAsOwner, bearer, freshGateway, gatewayForAll } from "./kit.ts";

const gateway = gatewayForAll({
  config: { models: { providers: { p: { api_base: "http://127.0.0.1:9/v1", api_key: "sk-secret", models: ["m"] } } } },
});

const chela = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  runCli(args, { cwd: gateway().stateDir, ...options, env: { CHELA_STATE_DIR: gateway().stateDir, ...options.env } });

/** Runs it, wants success, gives what it printed as JSON. */
async function json<T = Record<string, unknown>>(...args: readonly string[]): Promise<T> {
  const result = await chela([...args, "--json"]);
  expect(result, args.join(" ")).toMatchObject({ code: 0, stderr: "" });
  return result.json<T>();
}

interface Row {
  readonly id: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

describe("plugins", () => {
  it("list --json gives rows of id, version, state and reason, with and without a gateway", async () => {
    const rows = await json<Row[]>("plugins", "list");
    expect(rows.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["api-config", "chat", "openai", "providers", "store"]),
    );
    for (const row of rows)
      expect(row).toMatchObject({ version: expect.stringMatching(/^\d+\./) as unknown, state: "running", reason: "" });
    const alone = await chela(["plugins", "list", "--json"], {
      env: { CHELA_STATE_DIR: join(gateway().stateDir, "none") },
    });
    expect(alone.json<Row[]>().map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });

  it("doing twice what is done already succeeds and says so", async () => {
    writeTree(join(gateway().stateDir, "twice"), {
      "package.json": JSON.stringify({
        name: "twice",
        version: "1.0.0",
        type: "module",
        exports: "./index.js",
        chela: { id: "twice", host: "^1.0.0" },
        peerDependencies: { "@chela/sdk": "^1.0.0" },
      }),
      "index.js":
        'import { definePlugin } from "@chela/sdk";\nexport default definePlugin({ id: "twice", version: "1.0.0", host: "^1.0.0", setup() {} });\n',
    });
    const steps = [
      ["install", "./twice"],
      ["disable", "twice"],
      ["enable", "twice"],
      ["uninstall", "twice"],
    ] as const;
    for (const [verb, what] of steps) {
      expect(await json("plugins", verb, what), verb).toMatchObject({ ok: true, id: "twice", changed: true });
      expect(await json("plugins", verb, what), verb).toMatchObject({ ok: true, id: "twice", changed: false });
      const said = await chela(["plugins", verb, what]);
      expect(said, verb).toMatchObject({ code: 0, stdout: expect.stringMatching(/\balready\b/) as unknown });
    }
  });

  it("a built-in cannot be uninstalled, an unknown one is named", async () => {
    expect(await chela(["plugins", "uninstall", "chat"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("built in") as unknown,
    });
    expect(await chela(["plugins", "enable", "chatt"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/"chatt".*chat\b/s) as unknown,
    });
    expect((await chela(["plugins", "list", "--json"])).json<Row[]>()).toContainEqual(
      expect.objectContaining({ id: "chat", state: "running" }),
    );
  });
});

describe("config", () => {
  it("set takes JSON or a bare word, and says when nothing changed", async () => {
    const values = [
      ["logging.level", "warn", "warn"],
      ["logging.retention_days", "6", 6],
      ["gateway.controlUi.allowedOrigins", '["https://a.example"]', ["https://a.example"]],
      ["mine.text", "two words", "two words"],
      ["mine.quoted", '"7"', "7"],
      ["mine.flag", "true", true],
      ["mine.nothing", "null", null],
    ] as const;
    for (const [path, text, value] of values) {
      expect(await json("config", "set", path, text), path).toMatchObject({ ok: true, path, changed: true });
      expect((await chela(["config", "get", path])).json(), path).toEqual(value);
    }
    expect(await json("config", "set", "logging.level", "warn")).toMatchObject({ ok: true, changed: false });
    expect((await chela(["config", "set", "logging.level", "warn"])).stdout).toMatch(/already/);
  });

  it("C7: a path is read as ClawGo reads it, and a value comes back as it went", async () => {
    expect(await json("config", "set", ".mine..switch.enable.", "false")).toMatchObject({
      path: "mine.switch.enabled",
    });
    expect((await chela(["config", "get", "mine.switch.enable"])).stdout).toBe("false\n");
    expect(await json("config", "set", "mine.tree", '{"a":[1,2,{"b":null}],"c":"d"}')).toMatchObject({ ok: true });
    expect((await chela(["config", "get", "mine.tree.a.2"])).json()).toEqual({ b: null });
    expect(await chela(["config", "set", ".", "1"])).toMatchObject({ code: 1, stdout: "" });
    expect(await chela(["config", "get", "mine.none"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Path not found: mine.none") as unknown,
    });
  });

  it("plan takes a path and a value, or a file, and changes nothing", async () => {
    const before = readFileSync(join(gateway().stateDir, "config.json"), "utf8");
    const rowOf = (path: string, kind: string) => expect.objectContaining({ path, class: kind }) as unknown;
    expect(await json("config", "plan", "logging.level", "debug")).toEqual([rowOf("logging.level", "hot")]);
    expect(await json("config", "plan", "logging.filename", "x.log")).toEqual([
      rowOf("logging.filename", "restart-plugin"),
    ]);
    expect(await json("config", "plan", "gateway.port", "18999")).toEqual([rowOf("gateway.port", "restart-gateway")]);
    expect(await json("config", "plan", "nobody.reads.this", "1")).toEqual([rowOf("nobody.reads.this", "none")]);
    const file = join(gateway().stateDir, "wanted.json");
    writeFileSync(
      file,
      JSON.stringify({
        ...JSON.parse(before),
        store: { busy_ms: 7 },
        logging: { level: "warn", retention_days: 6, dir: "elsewhere" },
      }),
    );
    const rows = await json<object[]>("config", "plan", "wanted.json");
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([rowOf("store.busy_ms", "hot"), rowOf("logging.dir", "restart-plugin")]),
    );
    expect(readFileSync(join(gateway().stateDir, "config.json"), "utf8")).toBe(before);
    expect(await chela(["config", "plan", "no-such-file.json"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no-such-file.json") as unknown,
    });
  });

  it("rollback puts the newest backup back, or the one that is named; backups lists them", async () => {
    for (const days of ["11", "12", "13"]) await json("config", "set", "logging.retention_days", days);
    const days = async () => (await chela(["config", "get", "logging.retention_days"])).stdout.trim();
    const list = await json<{ id: string; at: number; hash: string }[]>("config", "backups");
    expect(list.length).toBeGreaterThanOrEqual(3);
    expect(list.map(({ at }) => at)).toEqual(list.map(({ at }) => at).sort((a, b) => b - a));
    expect(await json("config", "rollback")).toMatchObject({ ok: true, applied: ["logging.retention_days"] });
    expect(await days()).toBe("12");
    const named = list[1] as { id: string; hash: string };
    expect(await json("config", "rollback", named.id)).toMatchObject({ ok: true, hash: named.hash });
    expect(await days()).toBe("11");
    expect(await chela(["config", "rollback", "no-such-id"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no-such-id") as unknown,
    });
  });

  it("refuses paths through a prototype, with a word and without a trace", async () => {
    const paths = [
      "__proto__.polluted",
      "a.__proto__.b",
      "constructor.prototype.x",
      'a["__proto__"].b',
      "logging.constructor",
    ];
    for (const path of paths) {
      for (const verb of ["set", "unset", "get", "plan"]) {
        const result = await chela(["config", verb, path, ...(verb === "set" || verb === "plan" ? ["1"] : [])]);
        expect(result, `${verb} ${path}`).toMatchObject({ code: 1, stdout: "" });
        expect(result.stderr).toMatch(/__proto__|constructor/);
        expect(result.stderr).not.toMatch(/\n\s+at /);
      }
    }
  }, 60_000);
});

describe("status, keys", () => {
  it("status --json holds pid, port, pending, trouble and plugin states, and no secret", async () => {
    const result = await chela(["status", "--json"]);
    expect(result.json()).toMatchObject({
      running: true,
      pid: gateway().child.pid,
      port: Number(new URL(gateway().url).port),
      pending: [],
      config: { trouble: null },
      plugins: expect.arrayContaining([
        expect.objectContaining({ id: "store", state: "running", reason: "" }),
      ]) as unknown,
    });
    for (const secret of [gateway().token, "sk-secret"]) expect(result.stdout).not.toContain(secret);
  });

  it("keys add gives the key once; it may read and no more; revoked it is nothing", async () => {
    const made = await json<{ key: string }>("keys", "add", "conformance", "--scopes", "read");
    expect(made.key).toMatch(/^chela_k_/);
    expect(JSON.stringify(await json("keys", "list"))).not.toContain(made.key);
    const as = async (path: string, body?: unknown) =>
      (await ask(gateway(), path, { headers: bearer(made.key), body })).status;
    expect([await as("/api/version"), await as("/api/chat", { message: "x" }), await as("/api/config", {})]).toEqual([
      200, 403, 403,
    ]);
    expect(await json("keys", "revoke", "conformance")).toMatchObject({ ok: true, changed: true });
    expect(await json("keys", "revoke", "conformance")).toMatchObject({ ok: true, changed: false });
    expect(await as("/api/version")).toBe(401);
  });
});

describe("what is not known", () => {
  it("is named with what comes nearest, without a trace, exit code 1", async () => {
    const cases = [
      [["stauts"], /stauts.*\bstatus\b/s],
      [["plugins", "lsit"], /lsit.*\blist\b/s],
      [["config", "sett", "a", "b"], /sett.*\bset\b/s],
      [["gateway", "rnu"], /rnu.*\brun\b/s],
      [["status", "--jsno"], /--jsno.*--json/s],
    ] as const;
    for (const [args, text] of cases) {
      const result = await chela(args);
      expect(result, args.join(" ")).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(text);
      expect(result.stderr).not.toMatch(/\n\s+at |node:internal/);
    }
    const told = await chela(["stauts", "--json"]);
    expect(told.json()).toMatchObject({ ok: false, error: { message: expect.stringContaining("stauts") as unknown } });
  });
});

describe("config reload", () => {
  it("exits non-zero while the file does not parse, and says where", async () => {
    const broken = await freshGateway({ config: { gateway: { reload: { debounceMs: 60_000 } } } });
    const file = join(broken.stateDir, "config.json");
    const reload = () => runCli(["config", "reload"], { env: { CHELA_STATE_DIR: broken.stateDir } });
    writeFileSync(file, '{\n  "logging": {\n');
    const result = await reload();
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/config\.json.*\b3\b/s);
    writeFileSync(file, '{ "logging": { "level": "debug" } }');
    expect(await reload()).toMatchObject({ code: 0 });
    expect((await askAsOwner(broken, "/api/config")).json()).toMatchObject({ logging: { level: "debug" } });
  });
});
