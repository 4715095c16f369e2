import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startHost, type TestHost, type TestRequest } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import logs from "../../../plugins/logs/index.ts";

const secret = "canary-5d1f0c2b9a";

async function open(config: Record<string, unknown> | string = {}, env: Record<string, string> = {}) {
  const host = await startHost({ plugins: [apiConfig, logs], config, env });
  onTestFinished(() => host.stop());
  const file = join(host.stateDir, "config.json");
  return {
    host,
    text: () => readFileSync(file, "utf8"),
    parsed: () => JSON.parse(readFileSync(file, "utf8")) as never,
    file,
  };
}

const post = (host: TestHost, body: unknown, query = "", init: TestRequest = {}) =>
  host.request(`/api/config${query}`, { method: "POST", body, ...init });
const etagOf = (reply: { headers: Readonly<Record<string, string>> }) => reply.headers.etag as string;

describe("GET /api/config", () => {
  test("is the bare merged config, indented by two, with its version and no secret", async () => {
    const { host } = await open({ gateway: { token: secret, port: 1234 }, own: { key: 1 } });
    const reply = await host.request("/api/config", { token: secret });
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(etagOf(reply)).toBe(`"${host.config.hash()}"`);
    expect(reply.text.startsWith('{\n  "')).toBe(true);
    expect(reply.text.endsWith("\n}")).toBe(true);
    expect(reply.text).not.toContain(secret);
    expect(reply.json()).toMatchObject({
      gateway: { port: 1234, token: "__CHELA_REDACTED__", reload: { mode: "hybrid" } },
      own: { key: 1 },
      logging: { max_size_mb: 20 },
    });
    expect((await host.request("/api/config?mode=raw", { token: secret })).text).toBe(reply.text);
  });

  test("names the hot fields on request", async () => {
    const { host } = await open();
    const hot = (await host.request("/api/config?mode=hot")).json() as {
      hot_reload_fields: unknown;
      hot_reload_field_details: unknown[];
    };
    expect((await host.request("/api/config?include_hot_reload_fields=1")).json()).toEqual(hot);
    expect(Object.keys(hot).sort()).toEqual(["config", "hot_reload_field_details", "hot_reload_fields", "ok"]);
    expect(hot.hot_reload_fields).toEqual(expect.arrayContaining([expect.stringContaining("logging")]));
    expect(hot.hot_reload_field_details[0]).toEqual({
      path: expect.any(String),
      name: expect.any(String),
      description: expect.any(String),
    });
  });

  test("has the normalized view beside the raw config", async () => {
    const { host } = await open({
      models: { providers: { openai: { api_base: "https://x/v1", api_key: secret, models: ["m"] } } },
    });
    const reply = await host.request("/api/config?mode=normalized");
    expect(reply.text).not.toContain(secret);
    expect(reply.json()).toMatchObject({
      ok: true,
      config: {
        core: { tools: { shell_enabled: true } },
        runtime: { providers: { openai: { api_base: "https://x/v1" } } },
      },
      raw_config: { models: { providers: { openai: { models: ["m"] } } } },
    });
    expect(
      Object.keys((await host.request("/api/config?mode=normalized&include_hot_reload_fields=1")).json() as object),
    ).toContain("hot_reload_fields");
  });

  test("refuses another mode in ClawGo's words", async () => {
    const { host } = await open();
    for (const init of [{}, { method: "POST", body: {} }]) {
      const reply = await host.request("/api/config?mode=yaml", init);
      expect([reply.status, reply.text, reply.headers["content-type"]]).toEqual([
        400,
        "unsupported config mode: yaml\n",
        "text/plain; charset=utf-8",
      ]);
    }
  });
});

describe("POST /api/config", () => {
  test("changes what it names, keeps the rest of the file, comments and unknown keys included", async () => {
    const { host, text } = await open('{\n  // mine\n  "gateway": { "port": 0 }, "strange": { "a": [1] },\n}\n');
    const reply = await post(host, { logging: { level: "warn" }, telegram: { enabled: true } });
    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({
      ok: true,
      applied: ["logging.level"],
      restarted: [],
      pending: [],
      failed: [],
      hash: host.config.hash(),
    });
    expect(etagOf(reply)).toBe(`"${host.config.hash()}"`);
    expect(text()).toContain("// mine");
    expect(text()).toContain('"strange": { "a": [1] }');
    expect(host.config.file()).toMatchObject({
      gateway: { port: 0 },
      logging: { level: "warn" },
      telegram: { enabled: true },
    });
    expect(host.config.file()).not.toHaveProperty("gateway.host");
  });

  test("of what was read changes nothing: no default, no environment, no secret ends up in the file", async () => {
    const { host, text } = await open(`{ "gateway": { "token": "$\{TOKEN}", "port": 0 } }`, {
      TOKEN: secret,
      CHELA_LOGGING_LEVEL: "error",
    });
    const before = text();
    for (const mode of ["", "?mode=normalized"]) {
      const read = (await host.request(`/api/config${mode}`, { token: secret })).json() as { config: unknown };
      const reply = await post(host, mode ? read.config : read, mode, { token: secret });
      expect([reply.status, reply.json()]).toMatchObject([200, { ok: true, applied: [], hash: host.config.hash() }]);
      expect(text()).toBe(before);
    }
  });

  test("keeps a secret that comes back redacted, and refuses the mark where nothing is", async () => {
    const { host, parsed } = await open({
      models: { providers: { a: { api_base: "https://a/v1", api_key: secret, models: ["m"] } } },
    });
    const changed = await post(host, {
      models: { providers: { a: { api_base: "https://b/v1", api_key: "__CHELA_REDACTED__" } } },
    });
    expect(changed.status).toBe(200);
    expect(parsed()).toMatchObject({
      models: { providers: { a: { api_base: "https://b/v1", api_key: secret, models: ["m"] } } },
    });
    const refused = await post(host, { gateway: { auth: { password: "__CHELA_REDACTED__x" } } });
    expect([refused.status, refused.json()]).toMatchObject([400, { ok: false }]);
  });

  test("refuses a stale version with the current one, by header and by query", async () => {
    const { host } = await open();
    const stale = etagOf(await host.request("/api/config"));
    await post(host, { logging: { level: "warn" } });
    for (const [query, headers] of [
      ["", { "if-match": stale }],
      ["", { "if-match": `W/${stale}, "other"` }],
      [`?baseHash=${stale.slice(1, -1)}`, {}],
    ] as const) {
      const reply = await post(host, { logging: { level: "debug" } }, query, { headers });
      expect([reply.status, reply.json()]).toMatchObject([409, { ok: false, hash: host.config.hash() }]);
    }
    for (const match of [`"${host.config.hash()}"`, `"x", "${host.config.hash()}"`, "*"]) {
      expect((await post(host, { logging: { level: "warn" } }, "", { headers: { "if-match": match } })).status).toBe(
        200,
      );
    }
    expect(host.config.file()).toMatchObject({ logging: { level: "warn" } });
  });

  test("refuses an invalid config whole, naming every key", async () => {
    const { host, text } = await open({ gateway: { port: 0 } });
    const before = text();
    const reply = await post(host, { gateway: { port: 70_000 }, logging: { max_size_mb: "big", level: "warn" } });
    expect(reply.status).toBe(400);
    const { ok, error, errors } = reply.json() as { ok: boolean; error: string; errors: string[] };
    expect(ok).toBe(false);
    expect(error).toBe(`invalid config: ${errors.join("; ")}`);
    expect(errors).toHaveLength(2);
    expect(errors.every((line) => /^(gateway\.port|logging\.max_size_mb) must /.test(line))).toBe(true);
    expect(text()).toBe(before);
  });

  test("says what it could not decode, in ClawGo's words", async () => {
    const { host } = await open();
    const cases: [string | undefined, string, string][] = [
      ["{ nope", "", "decode config: invalid json"],
      ["{ nope", "?mode=normalized", "decode normalized config: invalid json"],
      ["[]", "", "decode config: the body is not an object"],
      [undefined, "", "decode config: the body is empty"],
      [
        '{"core":{"gateway":{"port":"x"}}}',
        "?mode=normalized",
        "decode normalized config: core.gateway.port must be a number",
      ],
    ];
    for (const [body, query, text] of cases) {
      const reply = await post(host, body, query);
      expect([
        reply.status,
        reply.text,
        reply.headers["content-type"],
        reply.headers["x-content-type-options"],
      ]).toEqual([400, `${text}\n`, "text/plain; charset=utf-8", "nosniff"]);
    }
  });

  test("refuses paths to a prototype", async () => {
    const { host, text } = await open({ a: 1 });
    const before = text();
    const reply = await post(host, '{"constructor":{"prototype":{"x":1}}}');
    expect(reply.status).toBe(400);
    await post(host, '{"__proto__":{"x":1}}');
    expect(text()).toBe(before);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("normalized: gateway, tools, router and provider reach their places in the file (A3)", async () => {
    const { host, parsed } = await open({
      models: { providers: { openai: { api_base: "https://x/v1", api_key: secret, models: ["m"] } } },
    });
    const body = {
      core: {
        default_provider: "openai",
        default_model: "m",
        tools: { shell_enabled: false },
        gateway: { host: "127.0.0.1", port: 7788 },
      },
      runtime: {
        router: { enabled: true, strategy: "rules_first" },
        providers: { openai: { api_base: "https://y/v1", timeout_sec: 30 } },
      },
    };
    expect((await post(host, body, "?mode=normalized")).status).toBe(200);
    expect(parsed()).toMatchObject({
      gateway: { host: "127.0.0.1", port: 7788 },
      tools: { shell: { enabled: false } },
      agents: { defaults: { model: { primary: "openai/m" } }, router: { enabled: true } },
      models: { providers: { openai: { api_base: "https://y/v1", timeout_sec: 30, api_key: secret, models: ["m"] } } },
    });
  });

  test("needs a credential, and does not save over a file that does not parse", async () => {
    const { host, file, text } = await open();
    expect((await post(host, {}, "", { token: null })).status).toBe(401);
    writeFileSync(file, "{ broken");
    const reply = await post(host, { logging: { level: "warn" } });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(text()).toBe("{ broken");
  });
});

describe("beside it", () => {
  test("plan, backups, diff, rollback and reload", async () => {
    const { host, file } = await open({ gateway: { token: secret }, logging: { level: "info" } });
    const ask = async (path: string, body?: unknown) =>
      (await host.request(path, { token: secret, ...(body === undefined ? {} : { body }) })).json();
    const row = { path: "logging.level", class: "hot", owner: "logs" };
    expect(await ask("/api/config/plan", { path: "logging.level", value: "debug" })).toEqual({
      ok: true,
      changes: [row],
    });
    expect(await ask("/api/config/plan", { edits: [{ path: "logging.level", value: "debug" }] })).toEqual({
      ok: true,
      changes: [row],
    });
    expect(
      await ask("/api/config/plan", {
        text: JSON.stringify({ gateway: { token: secret }, logging: { level: "debug" } }),
      }),
    ).toEqual({ ok: true, changes: [row] });
    expect(await ask("/api/config/plan", { path: "logging.level", value: "loud" })).toMatchObject({
      ok: false,
      errors: [expect.stringMatching(/^logging\.level must be one of debug, info, warn, error$/)],
    });
    expect((await host.request("/api/config/plan", { token: secret, body: {} })).status).toBe(400);
    await host.request("/api/config", { token: secret, body: { logging: { level: "debug" } } });
    const { backups } = (await ask("/api/config/backups")) as { backups: { id: string }[] };
    expect(backups).toHaveLength(1);
    const { diff } = (await ask(`/api/config/diff?id=${encodeURIComponent(backups[0]?.id ?? "")}`)) as { diff: string };
    expect(diff).toContain("debug");
    expect(diff).not.toContain(secret);
    expect(await ask("/api/config/rollback", {})).toMatchObject({ ok: true, applied: ["logging.level"] });
    expect(host.config.file()).toMatchObject({ logging: { level: "info" } });
    writeFileSync(file, JSON.stringify({ gateway: { token: secret }, logging: { level: "error" } }));
    expect(await ask("/api/config/reload", {})).toMatchObject({ ok: true, applied: ["logging.level"] });
    expect(await ask("/api/config/schema")).toMatchObject({ properties: { logging: {}, gateway: {} } });
  });
});
