import { readFileSync, writeFileSync } from "node:fs";
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
  return { call, path: host.config.path, text: () => readFileSync(host.config.path, "utf8") };
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
