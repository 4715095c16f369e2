import { existsSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { open, refusal } from "./fixture.ts";

const who = { who: "test" };

test("50 parallel edits keep all keys, comments and unknown keys", async () => {
  const { config, onDisk } = await open('{\r\n  // mine\r\n  "custom": { "keep": [1, 2] },\r\n}\r\n');
  const keys = Array.from({ length: 50 }, (_, index) => `p${index}`);
  await Promise.all(keys.map((key) => config.write([{ path: `models.providers.${key}.api_base`, value: key }], who)));
  const file = config.file() as { models: { providers: Record<string, unknown> } };
  expect(Object.keys(file.models.providers).sort()).toEqual([...keys].sort());
  expect(onDisk()).toContain('  // mine\r\n  "custom": { "keep": [1, 2] },\r\n');
  expect(onDisk().replaceAll("\r\n", "")).not.toContain("\n");
});

test("the answer tells what was applied, with the hash of the new file", async () => {
  const { config, applied } = await open({});
  const result = await config.write([{ path: "cron.maxWorkers", value: 7 }], { who: "api", why: "because" });
  expect(result).toEqual({ applied: ["cron.maxWorkers"], restarted: [], pending: [], failed: [], hash: config.hash() });
  expect(applied).toEqual([{ hash: config.hash(), why: "because", who: "api" }]);
});

test("a write with an error is refused whole, with the sentences", async () => {
  const { config, onDisk, applied } = await open({ logging: { level: "info" } });
  const before = onDisk();
  const edits = [
    { path: "logging.level", value: "debug" },
    { path: "gateway.port", value: 70000 },
    { path: "cron.maxWorkers", value: "many" },
  ];
  const error = await refusal(config.write(edits, who));
  expect([error.code, error.status]).toEqual(["CONFIG_INVALID", 400]);
  expect(error.details?.errors).toEqual(["gateway.port must be <= 65535", "cron.maxWorkers must be integer"]);
  expect(error.message).toBe("invalid config: gateway.port must be <= 65535; cron.maxWorkers must be integer");
  expect(await refusal(config.plan(edits))).toMatchObject({ code: "CONFIG_INVALID", details: error.details });
  expect(onDisk()).toBe(before);
  expect(applied).toEqual([]);
});

test("semantic problems refuse a write as schema problems do; warnings do not", async () => {
  const fixture = await open({});
  fixture.semantics = (merged) => [
    { path: "logging.dir", message: "is a slow disk", level: "warning" },
    ...((merged.logging as { dir: string }).dir === "/"
      ? [{ path: "logging.dir", message: "must not be the root", level: "error" as const }]
      : []),
  ];
  const error = await refusal(fixture.config.write([{ path: "logging.dir", value: "/" }], who));
  expect(error.details?.errors).toEqual(["logging.dir must not be the root"]);
  await fixture.config.write([{ path: "logging.dir", value: "/var/log" }], who);
  expect(fixture.config.problems()).toContainEqual({
    path: "logging.dir",
    message: "is a slow disk",
    level: "warning",
  });
});

test("a named value that is replaced by a shorter one is no loss, however long it was", async () => {
  const { config, onDisk } = await open({ logging: { dir: `/${"long/".repeat(100)}` } });
  await config.write([{ path: "logging.dir", value: "" }], who);
  expect(JSON.parse(onDisk())).toEqual({ logging: { dir: "" } });
});

test("an error that stands elsewhere in the file does not block, one that is touched does", async () => {
  const { config } = await open({ cron: { maxWorkers: 0 } });
  await config.write([{ path: "logging.level", value: "debug" }], who);
  expect(config.get("logging.level", "file").value).toBe("debug");
  expect(
    (
      await refusal(
        config.write(
          [
            { path: "cron.sleep.min", value: 2 },
            { path: "cron.maxWorkers", value: -1 },
          ],
          who,
        ),
      )
    ).code,
  ).toBe("CONFIG_INVALID");
  await config.write([{ path: "cron.maxWorkers", value: 1 }], who);
  expect(config.problems()).toEqual([]);
});

test("an error that an edit brings in elsewhere blocks it", async () => {
  const fixture = await open({ logging: { level: "info" } });
  fixture.semantics = (merged) =>
    (merged.cron as { maxWorkers: number }).maxWorkers > 9
      ? [{ path: "logging.level", message: "must be warn", level: "error" }]
      : [];
  const error = await refusal(fixture.config.write([{ path: "cron.maxWorkers", value: 10 }], who));
  expect(error.details?.errors).toEqual(["logging.level must be warn"]);
});

test("when applying fails, file and host go back and the caller hears why", async () => {
  const fixture = await open({ cron: { maxWorkers: 2 } });
  const before = fixture.onDisk();
  const { hash } = fixture.snapshot();
  for (const failing of [{ id: "cron", reason: "no threads" }, new Error("host fault")]) {
    fixture.failing = failing;
    const error = await refusal(fixture.config.write([{ path: "cron.maxWorkers", value: 9 }], who));
    expect([error.code, error.status]).toEqual(["CONFIG_APPLY_FAILED", 400]);
    expect(error.details).toMatchObject({
      hash,
      failed: [{ reason: failing instanceof Error ? "host fault" : "no threads" }],
    });
    expect(fixture.onDisk()).toBe(before);
    expect(fixture.snapshot().hash).toBe(hash);
    expect(fixture.config.hash()).toBe(hash);
  }
  const journal = readFileSync(join(fixture.dir, "config-journal.jsonl"), "utf8").trimEnd().split("\n");
  expect(journal).toHaveLength(4);
  await fixture.config.write([{ path: "cron.maxWorkers", value: 9 }], who);
  expect(fixture.config.get("cron.maxWorkers", "file").value).toBe(9);
});

test("a stale base hash is refused with the current one, also when only the disk moved on", async () => {
  const { config, edit } = await open({ cron: { maxWorkers: 2 } });
  const first = config.hash();
  await config.write([{ path: "cron.maxWorkers", value: 3 }], { ...who, baseHash: first });
  const error = await refusal(config.write([{ path: "cron.maxWorkers", value: 4 }], { ...who, baseHash: first }));
  expect([error.code, error.status, error.details?.hash]).toEqual(["CONFIG_CONFLICT", 409, config.hash()]);
  const second = config.hash();
  edit('{ "cron": { "maxWorkers": 8 } }');
  expect((await refusal(config.write([], { ...who, baseHash: second }))).code).toBe("CONFIG_CONFLICT");
});

test("an edit goes onto what is on disk, not onto what runs", async () => {
  const { config, edit, onDisk } = await open({ cron: { maxWorkers: 2 } });
  edit('{\n  // edited by hand\n  "logging": { "level": "warn" }\n}\n');
  await config.write([{ path: "cron.maxWorkers", value: 3 }], who);
  expect(onDisk()).toContain('  // edited by hand\n  "logging": { "level": "warn" },\n  "cron": {');
});

test("the guard: dropping most of the file needs force, an explicit removal does not", async () => {
  const { config, onDisk } = await open({ models: { providers: { a: { api_base: "x".repeat(500) } } }, cron: {} });
  const error = await refusal(config.write([{ path: "models", value: {} }], who));
  expect([error.code, error.status]).toEqual(["CONFIG_GUARD", 409]);
  await config.write([{ path: "models", value: undefined }], who);
  expect(JSON.parse(onDisk())).toEqual({ cron: {} });
  await config.rollback(undefined, who);
  await config.write([{ path: "models", value: {} }], { ...who, force: true });
  expect(JSON.parse(onDisk())).toEqual({ models: {}, cron: {} });
});

test("hostile edits are refused and pollute nothing", async () => {
  const { config, onDisk } = await open({});
  const before = onDisk();
  let deep: unknown = 1;
  for (let level = 0; level < 80; level++) deep = [deep];
  const edits: [string, unknown, string][] = [
    ["__proto__.polluted", 1, "CONFIG_KEY"],
    ["gateway.constructor.prototype.polluted", 1, "CONFIG_KEY"],
    ["x", JSON.parse('{"__proto__": {"polluted": 1}}'), "CONFIG_KEY"],
    ["x", Number.NaN, "CONFIG_VALUE"],
    ["x", () => 1, "CONFIG_VALUE"],
    ["x", deep, "CONFIG_VALUE"],
    ["", 1, "CONFIG_PATH"],
    ["x", "y".repeat(5_000_000), "CONFIG_SIZE"],
  ];
  for (const [path, value, code] of edits)
    expect((await refusal(config.write([{ path, value }], who))).code).toBe(code);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(onDisk()).toBe(before);
});

test("a file that stops parsing: last good kept, told, not saved over, healed by a reload", async () => {
  const { config, edit, applied, onDisk } = await open({ cron: { maxWorkers: 2 } });
  edit('{\n  "cron": { "maxWorkers": 3, }\n  "x": 1\n}');
  const error = await refusal(config.reload("file changed"));
  expect([error.code, error.details]).toEqual(["CONFIG_SYNTAX", { line: 3, column: 3 }]);
  expect(config.trouble()).toMatchObject({ line: 3, column: 3, message: error.message });
  expect(config.get("cron.maxWorkers", "merged").value).toBe(2);
  expect((await refusal(config.write([{ path: "cron.maxWorkers", value: 4 }], who))).code).toBe("CONFIG_SYNTAX");
  expect(onDisk()).toContain('"x": 1');
  expect(applied).toEqual([]);
  edit('{ "cron": { "maxWorkers": 3 } }');
  expect((await config.reload("file changed")).applied).toEqual(["cron.maxWorkers"]);
  expect(config.trouble()).toBeNull();
  expect((await config.reload("again")).applied).toEqual([]);
});

test("a reload keeps the last good config when the kernel or a running plugin could not use the new one", async () => {
  const { config, edit, applied } = await open({ cron: { maxWorkers: 2 } });
  for (const [text, sentence] of [
    ['{ "gateway": { "port": -1 } }', "gateway.port must be >= 0"],
    ['{ "cron": { "maxWorkers": 0 } }', "cron.maxWorkers must be >= 1"],
    ['{ "plugins": { "entries": { "demo": { "enabled": "yes" } } } }', "plugins.entries.demo.enabled must be boolean"],
  ] as const) {
    edit(text);
    expect((await refusal(config.reload("file changed"))).details).toEqual({ errors: [sentence] });
    expect(config.trouble()?.message).toContain(sentence);
  }
  expect(config.get("cron.maxWorkers", "merged").value).toBe(2);
  expect(applied).toEqual([]);
});

test("a section that was broken before holds nothing back", async () => {
  const { config, edit, snapshot } = await open({ cron: { maxWorkers: 0 } });
  edit('{ "cron": { "maxWorkers": -1 }, "logging": { "level": "warn" } }');
  expect((await config.reload("file changed")).applied).toContain("logging.level");
  expect(snapshot().broken.get("cron")).toBe("cron.maxWorkers must be >= 1");
  expect(config.trouble()).toBeNull();
});

test("a file that vanishes is no config of defaults", async () => {
  const { config, path } = await open({ gateway: { port: 1 } });
  unlinkSync(path);
  expect((await refusal(config.reload("file changed"))).code).toBe("CONFIG_MISSING");
  expect(config.get("gateway.port", "merged").value).toBe(1);
});

test("a file that vanishes is not what a write starts from, unless it is forced; a rollback brings it back", async () => {
  const { config, path } = await open({ gateway: { port: 1 }, cron: { maxWorkers: 2 } });
  await config.write([{ path: "cron.maxWorkers", value: 3 }], who);
  unlinkSync(path);
  for (const edits of [[{ path: "logging.level", value: "warn" }], []]) {
    expect((await refusal(config.write(edits, who))).code).toBe("CONFIG_MISSING");
  }
  expect(existsSync(path)).toBe(false);
  expect(config.get("gateway.port", "merged").value).toBe(1);
  await config.rollback(undefined, who);
  expect(config.file()).toEqual({ gateway: { port: 1 }, cron: { maxWorkers: 2 } });
  unlinkSync(path);
  await config.write([{ path: "logging.level", value: "warn" }], { ...who, force: true });
  expect(config.file()).toEqual({ logging: { level: "warn" } });
});

test("a reload whose application fails leaves the file alone and says so", async () => {
  const fixture = await open({});
  fixture.edit('{ "cron": { "maxWorkers": 3 } }');
  fixture.failing = { id: "cron", reason: "no threads" };
  expect((await fixture.config.reload("file changed")).failed).toEqual([{ id: "cron", reason: "no threads" }]);
  expect(fixture.config.trouble()?.message).toContain("cron: no threads");
  expect(fixture.onDisk()).toContain('"maxWorkers": 3');
});

test("rollback brings back the newest different version, or a named one, also over a broken file", async () => {
  const { config, edit, onDisk } = await open('// first\n{ "cron": { "maxWorkers": 1 } }\n');
  await config.write([{ path: "cron.maxWorkers", value: 2 }], who);
  await config.write([{ path: "cron.maxWorkers", value: 3 }], who);
  const [second, first] = await config.backups();
  expect((await config.rollback(undefined, who)).applied).toEqual(["cron.maxWorkers"]);
  expect(config.get("cron.maxWorkers", "file").value).toBe(2);
  edit("{ broken");
  await config.reload("file changed").catch(() => undefined);
  await config.rollback(first?.id, who);
  expect(onDisk()).toBe('// first\n{ "cron": { "maxWorkers": 1 } }\n');
  expect(config.trouble()).toBeNull();
  expect(second?.hash).not.toBe(first?.hash);
});

test("rollback refuses a version that is not valid any more, and an id that is none", async () => {
  const { config, edit } = await open({ cron: { maxWorkers: 0 } });
  await config.write([{ path: "logging.level", value: "warn" }], who);
  expect((await refusal(config.rollback(undefined, who))).code).toBe("CONFIG_INVALID");
  await config.rollback(undefined, { ...who, force: true });
  expect(config.get("logging.level", "file").found).toBe(false);
  expect((await refusal(config.rollback("../../etc/passwd", who))).code).toBe("CONFIG_BACKUP");
  edit("{}");
});

test("there is nothing to roll back to and nothing to compare with at first", async () => {
  const { config } = await open({});
  expect((await refusal(config.rollback(undefined, who))).code).toBe("CONFIG_BACKUP");
  expect(await config.diff()).toBe("");
});

test("a plan of a whole file is a dry run", async () => {
  const { config, onDisk, applied } = await open({ gateway: { auth: { token: "stored-token" } } });
  const before = onDisk();
  const text = JSON.stringify({ ...config.file(), cron: { maxWorkers: 9 } });
  expect(await config.planFile(text)).toEqual([{ path: "cron.maxWorkers", class: "hot", owner: "cron" }]);
  expect((await refusal(config.planFile("{"))).code).toBe("CONFIG_SYNTAX");
  expect((await refusal(config.planFile('{"cron": 5}'))).details?.errors).toEqual(["cron must be object"]);
  expect(onDisk()).toBe(before);
  expect(applied).toEqual([]);
});

test("without a file the first write makes one, and no edit makes none", async () => {
  const { config, path, onDisk } = await open(null);
  await config.write([], who);
  expect(() => readFileSync(path)).toThrow();
  await config.write([{ path: "logging.level", value: "debug" }], who);
  expect(onDisk()).toBe('{\n  "logging": {\n    "level": "debug"\n  }\n}\n');
});

test("the schema covers every section where it stands, and the hot keys are told as ClawGo does", async () => {
  const { config } = await open({});
  const schema = config.schema() as { properties: Record<string, { properties: Record<string, unknown> }> };
  expect(schema.properties.gateway?.properties.port).toMatchObject({ maximum: 65535 });
  expect(JSON.stringify(schema.properties.plugins?.properties.entries)).toContain('"greeting"');
  expect(config.hotFields()).toEqual(
    expect.arrayContaining([
      { path: "gateway.*", name: "Gateway", description: expect.stringContaining("listener") },
      { path: "logging.*", name: "Logging", description: "Applies live." },
      { path: "cron.maxWorkers", name: "Max workers", description: "Applies live." },
      { path: "plugins.entries.demo.config.greeting", name: "Greeting", description: "Applies live." },
    ]),
  );
});
