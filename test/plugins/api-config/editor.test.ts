import { readFileSync, writeFileSync } from "node:fs";
import { events } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import logs from "../../../plugins/logs/index.ts";

const secret = "canary-77c0ffee77";

async function open(config: string) {
  const host = await startHost({ plugins: [apiConfig, logs], config });
  onTestFinished(() => host.stop());
  const call = async (method: string, params: object = {}) => {
    const reply = await host.request("/api/call", { body: { method, params }, token: secret });
    expect(reply.text).not.toContain(secret);
    return reply.json() as { result: Record<string, never>; error: { code: string; details: Record<string, never> } };
  };
  return { host, call, path: host.config.path, text: () => readFileSync(host.config.path, "utf8") };
}

test("an editor reads, validates, plans and writes the file over RPC, and a backup is seen before it is taken back", async () => {
  const { call, text } = await open(`{\n  // mine\n  "gateway": { "token": "${secret}" }\n}\n`);
  const shown = (await call("config.text")).result as unknown as { text: string; hash: string };
  expect(shown.text).toBe('{\n  // mine\n  "gateway": { "token": "__CHELA_REDACTED__" }\n}\n');
  const edited = shown.text.replace(" }\n}", ' },\n  "logging": { "level": "warn" }\n}');
  const changes = [{ path: "logging.level", class: "hot", owner: "logs" }];
  expect((await call("config.validate", { text: edited })).result).toMatchObject({
    ok: true,
    changes,
    diff: expect.stringContaining('+  "logging": { "level": "warn" }'),
  });
  expect((await call("config.plan", { text: edited })).result).toEqual(changes);
  const wrong = edited.replace("warn", "loud");
  const problem = { path: "logging.level", level: "error", line: 4, column: 25 };
  expect((await call("config.validate", { text: wrong })).result).toMatchObject({ ok: false, problems: [problem] });
  expect((await call("config.plan", { text: wrong })).error.details).toMatchObject({ problems: [problem] });
  const write = (given: string, baseHash = shown.hash) => call("config.write", { text: given, baseHash });
  expect((await write(wrong)).error).toMatchObject({ code: "CONFIG_INVALID", details: { problems: [problem] } });
  expect((await write(edited)).result).toMatchObject({ applied: ["logging.level"] });
  expect(text()).toBe(edited.replace("__CHELA_REDACTED__", secret));
  const hash = (await call("config.text")).result.hash;
  expect((await write(edited)).error).toMatchObject({ code: "CONFIG_CONFLICT", details: { hash } });
  const [row] = (await call("config.backups")).result as unknown as { id: string }[];
  expect(row).toMatchObject({ replaced: { who: "api", why: expect.stringContaining("config.write") } });
  expect((await call("config.backup", { id: row?.id })).result).toMatchObject({ ...row, text: shown.text });
  expect((await call("config.backup", { id: "no" })).error.code).toBe("CONFIG_BACKUP");
});

test("a file that was broken by hand is repaired over RPC, and the gateway goes on", async () => {
  const { call, path, text } = await open(`{ "gateway": { "token": "${secret}" } }`);
  writeFileSync(path, `{ "gateway": { "token": "${secret}", "mine": "${secret}" } `);
  expect((await call("config.reload")).error.code).toBe("CONFIG_SYNTAX");
  const shown = (await call("config.text")).result as unknown as { text: string; hash: string; problems: object[] };
  expect(shown.problems).toMatchObject([{ path: "", line: 1, level: "error", message: expect.stringContaining("}") }]);
  const repaired = `${shown.text}}`;
  expect((await call("config.validate", { text: repaired })).result).toMatchObject({ ok: true });
  expect((await call("config.write", { text: repaired, baseHash: shown.hash })).result).toHaveProperty("hash");
  expect(text()).toBe(`{ "gateway": { "token": "${secret}", "mine": "${secret}" } }`);
  expect((await call("config.check")).result).toMatchObject({ trouble: null });
});

test("a new text that says the same is told to those who look at the text, and to no plugin", async () => {
  const { call, host } = await open(`{ "gateway": { "token": "${secret}" } }`);
  const told: unknown[] = [];
  host.service(events).subscribe(({ type, payload }) => {
    if (type === "config_changed") told.push(payload.changed);
  });
  const { text, hash } = (await call("config.text")).result as unknown as { text: string; hash: string };
  await call("config.write", { text: `// mine\n${text}`, baseHash: hash });
  expect(told).toEqual([[]]);
  await call("gateway.restart");
  expect(told).toEqual([[]]);
});

test("several keys change together or not at all, and one without a value goes", async () => {
  const { call, text } = await open(`{ "gateway": { "token": "${secret}" }, "logging": { "level": "warn" } }`);
  const edits = [{ path: "logging.level" }, { path: "logging.retention_days", value: 3 }];
  expect((await call("config.edit", { edits })).result).toMatchObject({ failed: [] });
  expect(JSON.parse(text()).logging).toEqual({ retention_days: 3 });
  const bad = [
    { path: "logging.retention_days", value: 4 },
    { path: "logging.level", value: "shout" },
  ];
  expect((await call("config.edit", { edits: bad })).error).toMatchObject({
    code: "CONFIG_INVALID",
    details: { errors: [expect.stringMatching(/^logging\.level /)] },
  });
  expect(JSON.parse(text()).logging).toEqual({ retention_days: 3 });
});

test("a file goes back byte for byte where nothing was changed, whatever ends its lines and whatever begins it", async () => {
  const lines = ["{", "  // mine", `  "gateway": { "token": "${secret}" },`, '  "logging": { "level": "warn" },', "}"];
  const forms = [
    lines.join("\n"),
    `\uFEFF${lines.join("\r\n")}\r\n`,
    `\uFEFF${lines.join("\n")}\n\n`,
    `${lines.slice(0, 3).join("\r\n")}\n${lines.slice(3).join("\n")}`,
    `\t${lines.join("").replace("// mine", "/* mine */")}`,
  ];
  for (const form of forms) {
    const { call, text } = await open(form);
    const shown = (await call("config.text")).result as unknown as { text: string; hash: string };
    expect(shown.text.startsWith("\uFEFF")).toBe(false);
    expect((await call("config.validate", { text: shown.text })).result).toMatchObject({ ok: true, diff: "" });
    await call("config.write", { text: shown.text, baseHash: shown.hash });
    expect(text()).toBe(form);
    await call("config.edit", { edits: [{ path: "logging.level", value: "warn" }] });
    expect(text()).toBe(form);
    await call("config.edit", { edits: [{ path: "logging.level", value: "info" }] });
    const { text: now, hash } = (await call("config.text")).result as unknown as { text: string; hash: string };
    await call("config.write", { text: now.replace('"info"', '"error"'), baseHash: hash });
    expect(text()).toBe(form.replace('"warn"', '"error"'));
  }
});

test("what is nested far too deep is refused at once, as a text and as a value", async () => {
  const { call } = await open(`{ "gateway": { "token": "${secret}" } }`);
  const depth = 10_000;
  for (const deep of [
    `{ "a": ${"[".repeat(depth)}${"]".repeat(depth)} }`,
    `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    "[{".repeat(depth),
  ]) {
    const problem = { message: expect.stringContaining("deeper than 64"), line: 1 };
    expect((await call("config.validate", { text: deep })).result).toMatchObject({ ok: false, problems: [problem] });
    expect((await call("config.plan", { text: deep })).error.code).toBe("CONFIG_SYNTAX");
    expect((await call("config.write", { text: deep, baseHash: "" })).error.code).toMatch(/CONFIG_(SYNTAX|CONFLICT)/);
  }
  const value = JSON.parse(`${"[".repeat(70)}${"]".repeat(70)}`) as unknown;
  expect((await call("config.edit", { edits: [{ path: "custom", value }] })).error).toBeDefined();
});

test("a key that may only read cannot guess a secret by planning what would change nothing", async () => {
  const host = await startHost({ plugins: [apiConfig], config: { gateway: { token: secret } } });
  onTestFinished(() => host.stop());
  const identity = { id: "key:reader", name: "reader", kind: "key", scopes: ["read"] } as const;
  const call = { identity, id: "1", signal: new AbortController().signal } as const;
  for (const params of [{ path: "gateway.token", value: secret }, { text: "{}" }])
    await expect(host.gateway.call("config.plan", params, call as never)).rejects.toMatchObject({ status: 403 });
});

test("forms are made of sections, with what applies at once and what the environment decides", async () => {
  const env = { CHELA_LOGGING_LEVEL: "error", CHELA_GATEWAY_RELOAD_MODE: "hot" };
  const host = await startHost({ plugins: [apiConfig, logs], config: { logging: { level: "debug" } }, env });
  onTestFinished(() => host.stop());
  const call = async (method: string) =>
    (await host.request("/api/call", { body: { method } })).json() as { result: unknown };
  const sections = (await call("config.sections")).result as { path: string; hot: string[] }[];
  expect(sections.map(({ path }) => path)).toEqual(["gateway", "plugins.entries.api-config.config", "logging"]);
  expect(sections[0]?.hot).toContain("reload");
  for (const key of ["host", "port", "bind", "tls"]) expect(sections[0]?.hot).not.toContain(key);
  expect(sections[2]).toMatchObject({ owner: "logs", value: { level: "error" }, schema: { type: "object" } });
  expect((await call("config.overrides")).result).toEqual({
    "gateway.reload.mode": "CHELA_GATEWAY_RELOAD_MODE",
    "logging.level": "CHELA_LOGGING_LEVEL",
  });
});
