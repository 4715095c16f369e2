import { expect, test } from "vitest";
import { planChanges } from "../../kernel/config/classify.ts";
import { isKernelOwner } from "../../kernel/config/sections.ts";
import { assertKernelSections, resolveText, type SectionValidator } from "../../kernel/config/snapshot.ts";
import { refusal, sections, snapshotOf, validate } from "./fixture.ts";

test("a file that is missing gives every section its defaults and asks no validator", async () => {
  const asked: string[] = [];
  const spy: SectionValidator = (owner) => {
    asked.push(owner);
    return [];
  };
  const snapshot = await resolveText(null, "config.json", { sections, env: {}, validate: spy });
  expect(asked).toEqual([]);
  expect(snapshot.problems).toEqual([]);
  expect(snapshot.values.get("gateway")).toMatchObject({
    port: 18790,
    auth: { trustedProxy: { allowLoopback: false } },
  });
  expect(snapshot.values.get("cron")).toEqual({ maxWorkers: 4, sleep: { min: 1, max: 30 } });
  expect(snapshot.values.get("demo")).toMatchObject({ greeting: "hello", target: { kind: "file" } });
  expect(snapshot.raw).toEqual({});
});

test("the schema walker and ajv fill the same defaults", async () => {
  const walked = await snapshotOf({});
  const checked = await snapshotOf({ gateway: {}, plugins: {}, models: {}, logging: {}, cron: {} });
  for (const { owner } of sections) expect(checked.values.get(owner)).toEqual(walked.values.get(owner));
});

test("a section without defaults for what it requires is checked even when it is absent", async () => {
  const schema = { type: "object", required: ["url"], properties: { url: { type: "string" } } };
  const snapshot = await resolveText("{}", "config.json", {
    sections: [{ owner: "hook", path: "hook", schema, hot: [] }],
    env: {},
    validate,
  });
  expect(snapshot.broken.get("hook")).toBe("hook.url must be given");
});

test("a broken section is told by path, the others stay usable", async () => {
  const snapshot = await snapshotOf({ cron: { maxWorkers: 0, sleep: { min: "x" } }, logging: { level: "debug" } });
  expect(snapshot.broken.get("cron")).toBe("cron.maxWorkers must be >= 1; cron.sleep.min must be number");
  expect(snapshot.values.has("cron")).toBe(false);
  expect(snapshot.values.get("logs")).toEqual({ level: "debug", dir: "logs" });
  expect(() => assertKernelSections(snapshot)).not.toThrow();
});

test("null says nothing: the default counts, in records too; where a schema takes it, or none knows the key, it stays", async () => {
  const snapshot = await snapshotOf({ cron: null, logging: { level: null, dir: "x" }, mine: { a: null } });
  expect(snapshot.problems.filter(({ level }) => level === "error")).toEqual([]);
  expect(snapshot.values.get("logs")).toEqual({ level: "info", dir: "x" });
  expect(snapshot.values.get("cron")).toEqual({ maxWorkers: 4, sleep: { min: 1, max: 30 } });
  expect(snapshot.merged.mine).toEqual({ a: null });
  const limit = { anyOf: [{ type: "integer" }, { type: "null" }], default: 5 };
  const schema = {
    type: "object",
    properties: { limit },
    additionalProperties: { type: "object", properties: { scopes: { type: "array", items: { type: "string" } } } },
  };
  const other = await resolveText('{"p":{"limit":null,"one":{"scopes":null},"two":null}}', "config.json", {
    sections: [{ owner: "p", path: "p", schema, hot: [] }],
    env: {},
    validate,
  });
  expect(other.values.get("p")).toEqual({ limit: null, one: {} });
});

test("a broken section of the kernel stops a start with the sentence", async () => {
  const snapshot = await snapshotOf({ gateway: { port: 70000 }, cron: { maxWorkers: 0 } });
  const error = await refusal(() => assertKernelSections(snapshot));
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.details).toEqual({ errors: ["gateway.port must be <= 65535"] });
  expect(error.message).toBe("invalid config: gateway.port must be <= 65535");
});

test("unknown keys are kept and warned about once each, at the top", async () => {
  const snapshot = await snapshotOf({
    channels: { telegram: { token: "x" } },
    gateway: { prot: 1, auth: { toke: "x" } },
    models: { providers: { a: { api_base: "http://x", extra: true } } },
    plugins: { entries: { other: { config: { any: 1 } }, demo: { config: { typo: 1 } } } },
    $schema: "./schema.json",
  });
  const unknown = snapshot.problems.map(({ path, level }) => `${level} ${path}`);
  expect(unknown.sort()).toEqual([
    "warning channels",
    "warning gateway.auth.toke",
    "warning gateway.prot",
    "warning models.providers.a.extra",
    "warning plugins.entries.demo.config.typo",
  ]);
  expect(snapshot.merged).toMatchObject({ channels: { telegram: { token: "x" } } });
});

test("a newer configVersion and a key written twice are warnings", async () => {
  const snapshot = await snapshotOf('{"configVersion": 99, "cron": {"maxWorkers": 1, "maxWorkers": 2}}');
  expect(snapshot.problems.map(({ path, level }) => [level, path])).toEqual([
    ["warning", "cron.maxWorkers"],
    ["warning", "configVersion"],
  ]);
  expect(snapshot.values.get("cron")).toMatchObject({ maxWorkers: 2 });
});

test("everything in a snapshot is frozen", async () => {
  const snapshot = await snapshotOf({ cron: { sleep: { min: 2 } } });
  const cron = snapshot.values.get("cron") as { sleep: { min: number } };
  expect(() => {
    cron.sleep.min = 3;
  }).toThrow(TypeError);
  expect(Object.isFrozen(snapshot.raw)).toBe(true);
});

test("sections that did not change stay the same objects", async () => {
  const first = await snapshotOf({ cron: { maxWorkers: 2 }, logging: { level: "debug" } });
  const second = await snapshotOf({ cron: { maxWorkers: 3 }, logging: { level: "debug" } }, {}, first);
  for (const owner of ["logs", "gateway", "plugins", "demo"]) {
    expect(second.values.get(owner)).toBe(first.values.get(owner));
  }
  expect(second.values.get("cron")).toMatchObject({ maxWorkers: 3 });
  const third = await snapshotOf({ cron: { maxWorkers: 0 } }, {}, second);
  expect(third.broken.has("cron")).toBe(true);
  expect(third.values.get("logs")).toEqual({ level: "info", dir: "logs" });
});

test("a schema that cannot be compiled breaks its own section only", async () => {
  const broken = {
    owner: "odd",
    path: "odd",
    schema: { type: "object", properties: { a: { type: "nonsense" } } },
    hot: [],
  };
  const text = JSON.stringify({ odd: { a: 1 }, cron: { maxWorkers: 2 } });
  const snapshot = await resolveText(text, "config.json", { sections: [...sections, broken], env: {}, validate });
  expect([...snapshot.broken.keys()]).toEqual(["odd"]);
  expect(snapshot.broken.get("odd")).toContain('"odd" declares one that cannot');
});

test("the kernel's sections are among the sections", () => {
  expect(sections.filter(({ owner }) => isKernelOwner(owner)).map(({ path }) => path)).toEqual(["gateway", "plugins"]);
});

test("what is made of the sections is made once, and a version compared with itself has no changes", async () => {
  const before = await snapshotOf({});
  const after = await snapshotOf({ logging: { level: "debug" } }, {}, before);
  expect(after.schema).toBe(before.schema);
  expect(after.merged.models).toBe(before.merged.models);
  expect(planChanges(after, after, sections)).toEqual([]);
  expect(planChanges(before, after, sections).map(({ path }) => path)).toEqual(["logging.level"]);
  expect(planChanges(before, after, [...sections]).map(({ path }) => path)).toEqual(["logging.level"]);
});
