/** ClawGo contract §1.5 and §3.2: candidates, health, cooldowns and the runtime view, case by case (§11.1, §11.4). */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GatewayError, providers } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import apiConfig from "../../plugins/api-config/index.ts";
import { statusFault } from "../../plugins/providers/failover/faults.ts";
import { verdictOf } from "../../plugins/providers/failover/verdict.ts";
import plugin from "../../plugins/providers/index.ts";
import { runtimeQuery } from "../../plugins/providers/runtime/view.ts";
import type { Upstreams } from "../../plugins/providers/upstreams.ts";
import { until } from "../kit/until.ts";
import { type FakeAccounts, fakeAccount, fakeAccounts } from "../plugins/providers/accounts-kit.ts";
import { ask, fails, hear, makeUpstreams, never, type Providers, upstream } from "../plugins/providers/kit.ts";

type Row = Readonly<Record<string, unknown>>;
interface Item extends Row {
  readonly events: readonly Row[] | null;
  readonly recent_changes: readonly Row[] | null;
  readonly recent_hits: readonly Row[] | null;
  readonly recent_errors: readonly Row[] | null;
  readonly candidate_order: readonly Row[] | null;
  readonly api_state: Row;
  readonly next_cursor: number;
}

const quota = { status: 429, message: "You exceeded your current quota", code: "insufficient_quota" };
const start = Date.parse("2026-11-21T12:00:00Z");

/** One provider `sim` with fake accounts on a clock that is set by hand. */
async function world(accounts: FakeAccounts, more: Providers[string] = {}) {
  const server = await upstream();
  let now = 0;
  const auth = accounts.list.length > 0 ? { auth: "oauth", oauth: { provider: "codex" } } : {};
  const upstreams = makeUpstreams(
    { sim: { api_base: server.base, models: ["m"], api: "chat", ...auth, ...more } },
    { accounts: () => accounts, now: () => now, wall: () => start + now },
  );
  const say = async () => (await hear(upstreams.stream(ask("sim/m"), never))).text;
  const asked = () => server.requests.map(({ headers }) => String(headers.authorization).replace("Bearer ", ""));
  const pass = (ms: number) => {
    now += ms;
  };
  return { server, upstreams, say, asked, pass };
}

function view(upstreams: Upstreams, query: Readonly<Record<string, string>> = {}): Item[] {
  return upstreams.runtime.items(runtimeQuery(query)) as Item[];
}

const hybrid = { auth: "hybrid", api_key: "sk-key-123456", oauth: { provider: "codex" } };

describe("accounts and keys", () => {
  it("P2 quota on account A switches to B, one attempt each", async () => {
    const { server, say, asked } = await world(fakeAccounts(fakeAccount("a@x", "tok-a"), fakeAccount("b@x", "tok-b")));
    server.key("tok-a", quota);
    expect(await say()).toBe("echo: hello there");
    expect(asked()).toEqual(["tok-a", "tok-b"]);
  });

  it("P3 hybrid: the key first; falls to the account on 429 insufficient_quota; skips the cooling key; clearing restores", async () => {
    const { server, upstreams, say, asked } = await world(fakeAccounts(fakeAccount("a@x", "tok-a")), hybrid);
    server.key("sk-key-123456", { ...quota, times: 1, afterwards: {} });
    await say();
    expect(asked()).toEqual(["sk-key-123456", "tok-a"]);
    await say();
    expect(asked().slice(2)).toEqual(["tok-a"]);
    expect(view(upstreams)[0]?.candidate_order).toMatchObject([
      { kind: "oauth", target: "a@x", available: true, status: "ready", health_score: 100 },
      { kind: "api_key", target: "sk-k***3456", available: false, status: "cooldown", failure_count: 1 },
    ]);
    upstreams.runtime.clearKeys("sim");
    await say();
    expect(asked().slice(3)).toEqual(["sk-key-123456"]);
    expect(view(upstreams, { reason: "manual_clear" })[0]?.recent_changes).toMatchObject([
      { kind: "api_key", target: "sk-k***3456", reason: "manual_clear_api_cooldown" },
    ]);
  });

  it("P4 a cooled account is skipped, a disabled one too, a healthier one comes first", async () => {
    const [a, b, c] = [fakeAccount("a@x", "tok-a"), fakeAccount("b@x", "tok-b"), fakeAccount("c@x", "tok-c")];
    const { server, say, asked, pass } = await world(fakeAccounts(a, b, c));
    server.key("tok-a", { ...quota, times: 1, afterwards: {} });
    await say();
    expect(asked()).toEqual(["tok-a", "tok-b"]);
    b.disabled = true;
    await say();
    expect(asked().slice(2)).toEqual(["tok-c"]);
    b.disabled = false;
    pass(31 * 60_000);
    await say();
    // `a` may be asked again, and is less healthy.
    expect(asked().slice(3)).toEqual(["tok-b"]);
  });

  it("P9 429 insufficient_quota is quota, 429 rate limit is rate_limit, 403 is forbidden", () => {
    const reason = (status: number, body: string) => verdictOf(statusFault({ id: "x/y" }, status, {}, body)).reason;
    expect(reason(429, '{"error":{"code":"insufficient_quota","message":"x"}}')).toBe("quota");
    expect(reason(429, '{"error":{"message":"Rate limit reached"}}')).toBe("rate_limit");
    expect(reason(429, "usage limit")).toBe("rate_limit");
    expect(reason(403, '{"error":{"message":"no"}}')).toBe("forbidden");
    expect(reason(403, '{"error":{"message":"billing hard limit"}}')).toBe("quota");
    expect(reason(402, "")).toBe("quota");
  });

  it("a refused token is replaced once and the account asked once more; one that cannot be is off", async () => {
    const account = fakeAccount("a@x", "old", { fresh: ["new"] });
    const { server, upstreams, say, asked } = await world(fakeAccounts(account));
    server.key("old", { status: 401, message: "expired" });
    expect(await say()).toBe("echo: hello there");
    expect(asked()).toEqual(["old", "new"]);
    expect(upstreams.status().cooling).toEqual([]);
    server.key("new", { status: 401, message: "expired" });
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_AUTH", status: 401 });
    expect(asked()).toHaveLength(3);
    expect(upstreams.status().cooling).toMatchObject([{ provider: "sim", credential: "a@x", seconds: null }]);
    upstreams.runtime.ledger.refreshed("sim", account);
    expect(upstreams.status().cooling).toEqual([]);
  });

  it("without an account it says who has to log in, and the next model is asked", async () => {
    const { server, upstreams } = await world(fakeAccounts(), { auth: "oauth", oauth: { provider: "codex" } });
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_NO_TOKEN", status: 401 });
    expect(error.message).toContain("oauth session not found, run chela provider login sim first");
    const request = ask("sim/m", { fallbacks: ["offline/offline"] });
    expect((await hear(upstreams.stream(request, never))).reply.model).toBe("offline/offline");
    expect(server.requests).toEqual([]);
  });

  it("an account whose token cannot be had rests briefly, and the other serves", async () => {
    const broken = new GatewayError("OAUTH_REFRESH", 502, "the token endpoint is away");
    const a = fakeAccount("a@x", "tok-a", { broken });
    const { say, asked, upstreams } = await world(fakeAccounts(a, fakeAccount("b@x", "tok-b")));
    await say();
    expect(asked()).toEqual(["tok-b"]);
    expect(upstreams.status().cooling).toMatchObject([{ credential: "a@x", reason: "no_token", seconds: 1 }]);
  });
});

describe("the runtime view", () => {
  it("P10 candidate order is key then account; the last success is told; history is written, loaded and removed on clear", async () => {
    const server = await upstream();
    const config = {
      models: {
        providers: {
          sim: { api_base: server.base, api_key: "sk-key-123456", models: ["echo", "rate"], runtime_persist: true },
        },
        discovery: { enabled: false },
      },
    };
    const stateDir = (await import("../kit/temp.ts")).tempDir("runtime");
    const first = await startHost({ plugins: [plugin, apiConfig], config, stateDir });
    await hear(first.service(providers).stream(ask("sim/echo"), never));
    await fails(first.service(providers).stream(ask("sim/rate"), never));
    const [item] = await items(first);
    expect(item?.candidate_order).toMatchObject([{ kind: "api_key", target: "sk-k***3456", failure_count: 1 }]);
    expect(item?.last_success).toMatchObject({ kind: "api_key", target: "sk-k***3456", detail: "echo" });
    await first.stop();
    const file = join(stateDir, "data", "providers", "runtime", "sim.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const kept = JSON.parse(readFileSync(file, "utf8")) as Row;
    const names = ["api_state", "recent_hits", "recent_errors", "recent_changes", "last_success", "candidate_order"];
    for (const name of names) expect(kept).toHaveProperty(name);
    expect(JSON.stringify(kept)).not.toContain("sk-key-123456");

    const second = await startHost({ plugins: [plugin, apiConfig], config, stateDir });
    onTestFinished(() => second.stop());
    const [again] = await items(second);
    expect(again?.last_success).toEqual(item?.last_success);
    expect(again?.api_state).toMatchObject({ failure_count: 1, health_score: 90, last_failure: "rate_limit" });
    expect(again?.candidate_order).toMatchObject([{ status: "cooldown" }]);
    await act(second, { provider: "sim", action: "clear_history" });
    expect(readdirSync(join(stateDir, "data", "providers", "runtime"))).toEqual([]);
    expect((await items(second))[0]).toMatchObject({ recent_hits: null, recent_errors: null, last_success: null });
  });

  it("P11 a new order of candidates is an event", async () => {
    const { server, upstreams, say } = await world(fakeAccounts(fakeAccount("a@x", "tok-a")), hybrid);
    server.key("sk-key-123456", quota);
    view(upstreams);
    await say();
    expect(view(upstreams, { reason: "candidate_order_changed" })[0]?.recent_changes).toMatchObject([
      { kind: "scheduler", target: "a@x", reason: "candidate_order_changed" },
    ]);
  });

  it("P12 window and kind, limit and cursor, sort, health and cooldown filters", async () => {
    const { server, upstreams, say, pass } = await world(fakeAccounts(), { api_key: "sk-key-123456" });
    for (let index = 0; index < 4; index += 1) {
      await say();
      pass(60_000);
    }
    const whens = (query: Readonly<Record<string, string>>) =>
      view(upstreams, query)[0]?.events?.map(({ when }) => when);
    expect(whens({ window_sec: "70", kind: "API_KEY" })).toEqual(["2026-11-21T12:03:00Z"]);
    expect(view(upstreams, { kind: "oauth" })[0]).toMatchObject({ recent_hits: [], recent_errors: null, events: [] });
    expect(whens({ limit: "1" })).toEqual(["2026-11-21T12:03:00Z"]);
    expect(view(upstreams, { limit: "1" })[0]?.recent_hits).toHaveLength(4);
    expect(view(upstreams, { sort: "asc" })[0]?.recent_hits?.[0]).toMatchObject({ when: "2026-11-21T12:03:00Z" });
    expect(whens({ sort: "asc", limit: "1" })).toEqual(["2026-11-21T12:00:00Z"]);
    const [page] = view(upstreams, { limit: "2" });
    expect(page?.next_cursor).toBe(2);
    const [rest] = view(upstreams, { limit: "2", cursor: "2" });
    expect(rest?.next_cursor).toBe(0);
    expect(rest?.events?.map(({ when }) => when)).toEqual(["2026-11-21T12:01:00Z", "2026-11-21T12:00:00Z"]);
    expect(view(upstreams, { changes_only: "true" })[0]).toMatchObject({ recent_hits: [], recent_errors: [] });
    expect(view(upstreams, { changes_only: "1" })[0]?.recent_hits).toHaveLength(4);
    expect(view(upstreams, { health_below: "100" })).toEqual([]);
    server.key("sk-key-123456", quota);
    await fails(upstreams.stream(ask("sim/m"), never));
    expect(view(upstreams, { health_below: "70" })).toHaveLength(1);
    expect(view(upstreams, { health_below: "50" })).toEqual([]);
    expect(view(upstreams, { cooldown_until_before_sec: "60" })).toEqual([]);
    expect(view(upstreams, { cooldown_until_before_sec: "1900" })).toHaveLength(1);
    expect(view(upstreams, { health_below: "50", cooldown_until_before_sec: "1900" })).toHaveLength(1);
    expect(view(upstreams, { reason: "QUOTA", target: "sk-k" })[0]?.recent_errors).toHaveLength(1);
    expect(view(upstreams, { provider: "SIM" })).toEqual([]);
  });

  it("P13 summary: who is critical and degraded, the last error, how stale, and the accounts", async () => {
    const { server, upstreams, say, pass } = await world(fakeAccounts(fakeAccount("a@x", "tok-a")));
    expect(upstreams.runtime.summary("sim").providers).toMatchObject([{ status: "healthy", stale_for_sec: -1 }]);
    expect(upstreams.runtime.summary().providers).toBeUndefined();
    await say();
    pass(90_000);
    expect(upstreams.runtime.summary("sim").providers).toMatchObject([
      { stale_for_sec: 90, last_success_at: "2026-11-21T12:00:00Z", oauth_accounts: [{ email: "a@x" }] },
    ]);
    server.key("tok-a", { times: 1, ...quota, afterwards: {} });
    await fails(upstreams.stream(ask("sim/m"), never));
    expect(upstreams.runtime.summary()).toMatchObject({
      ...{ total_providers: 1, healthy: 0, degraded: 0, critical: 1, in_cooldown: 1, recent_errors: 1 },
      providers: [{ name: "sim", status: "critical", last_error_reason: "quota", in_cooldown: true }],
    });
    pass(31 * 60_000);
    await say();
    expect(upstreams.runtime.summary()).toMatchObject({ critical: 0, degraded: 1, in_cooldown: 0, low_health: 0 });
    pass(2 * 3600_000);
    expect(upstreams.runtime.summary()).toMatchObject({ healthy: 1, degraded: 0, recent_errors: 0 });
  });

  it("P14 refresh_now honours only_expiring; rerank tells the order as it is now", async () => {
    const accounts = fakeAccounts(fakeAccount("a@x", "tok-a", { expiring: true }), fakeAccount("b@x", "tok-b"));
    const { upstreams, server, say } = await world(accounts);
    const { runtimeAction } = await import("../../plugins/providers/faces/runtime.ts");
    const act = (body: Row) => runtimeAction(upstreams, { provider: "sim", ...body });
    expect(await act({ action: "refresh_now", only_expiring: true })).toMatchObject({
      ...{ ok: true, provider: "sim", refreshed: true },
      result: { checked: 2, refreshed: 1, skipped: 1, failed: 0, accounts: [{ target: "a@x" }, { target: "b@x" }] },
      candidate_order: [{ target: "a@x" }, { target: "b@x" }],
      summary: { total_providers: 1, providers: [{ name: "sim" }] },
    });
    await act({ action: "refresh_now" });
    expect(accounts.refreshes.map(({ onlyExpiring }) => onlyExpiring)).toEqual([true, false]);
    server.key("tok-a", quota);
    await say();
    expect(await act({ action: "rerank" })).toMatchObject({
      ...{ ok: true, provider: "sim", reranked: true },
      candidate_order: [
        { target: "b@x", status: "ready" },
        { target: "a@x", status: "cooldown" },
      ],
    });
  });
});

describe("over HTTP", () => {
  const simple = (base: string, more: Row = {}) => ({
    models: {
      providers: { sim: { api_base: base, api_key: "sk-key-123456", models: ["echo"], ...more } },
      discovery: { enabled: false },
    },
  });

  async function host(config: Row): Promise<TestHost> {
    const started = await startHost({ plugins: [plugin, apiConfig], config });
    onTestFinished(() => started.stop());
    return started;
  }

  it("1.5 the view has the fields of the contract, and null where a list is empty", async () => {
    const server = await upstream();
    const started = await host(simple(server.base));
    const reply = await started.request("/api/provider/runtime");
    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({
      ok: true,
      view: {
        items: [
          {
            ...{ name: "sim", auth: "", api_base: server.base },
            api_state: { token_masked: "sk-k***3456", health_score: 100 },
            ...{ recent_hits: null, recent_errors: null, recent_changes: null, last_success: null, events: [] },
            candidate_order: [
              { kind: "api_key", target: "sk-k***3456", available: true, status: "ready", health_score: 100 },
            ],
            ...{ strategy: "order", next_cursor: 0 },
          },
        ],
      },
    });
  });

  it("1.5 refusals are the contract's sentences", async () => {
    const started = await host(simple("http://127.0.0.1:9/v1", { preset: "gemini", api: "chat" }));
    const refused = async (body: Row) => {
      const { status, text } = await act(started, body);
      return `${status} ${text}`;
    };
    expect(await refused({ action: "nothing" })).toBe("400 unsupported action\n");
    expect(await refused({ provider: "nobody", action: "rerank" })).toBe('400 provider "nobody" not found\n');
    expect(await refused({ action: "refresh_now" })).toBe('400 provider "sim" does not use oauth\n');
    expect(await refused({ provider: "SIM", action: "rerank" })).toMatch(/^400 .*does not support runtime rerank\n$/);
    expect((await act(started, { provider: "sim", action: "clear_api_cooldown" })).json()).toEqual({
      ok: true,
      cleared: true,
    });
  });

  it("1.1 bodies are read with keys in any case, and a wrong type is `invalid json`", async () => {
    const started = await host(simple("http://127.0.0.1:9/v1"));
    const post = async (path: string, body: unknown) => {
      const { status, text } = await started.request(`/api/provider/${path}`, { body });
      return `${status} ${text}`;
    };
    expect(await post("models", { Provider: "sim", MODELS: ["b", null], Model: "a" })).toContain('"models":["b","a"]');
    expect(await post("runtime", { Provider: "nobody" })).toBe('400 provider "nobody" not found\n');
    expect(await post("oauth/start", { Provider: "nobody" })).toBe('400 provider "nobody" not found\n');
    for (const [path, body] of [
      ["models", { models: "a", model: "b" }],
      ["models", { models: ["a", 1] }],
      ["models", { model: 1 }],
      ["runtime", []],
      ["runtime", { provider: 1, action: "rerank" }],
      ["runtime", { action: "rerank", only_expiring: "yes" }],
      ["oauth/start", ["sim"]],
      ["oauth/complete", { flow_id: 1 }],
      ["oauth/accounts", { action: {} }],
    ] as const)
      expect([path, await post(path, body)]).toEqual([path, "400 invalid json\n"]);
  });

  it("1.5 POST /api/provider/models replaces the list: models, then model, each once", async () => {
    const server = await upstream();
    const started = await host(simple(server.base, { models: ["echo", { id: "big", context_window: 9 }] }));
    const post = (body: Row) => started.request("/api/provider/models", { body });
    const reply = await post({ provider: "sim", model: " echo ", models: ["big", "", "big"] });
    expect(reply.json()).toEqual({ ok: true, models: ["big", "echo"] });
    expect(started.config.get("models.providers.sim.models", "file").value).toEqual([
      { id: "big", context_window: 9 },
      "echo",
    ]);
    expect(started.service(providers).models()[0]).toMatchObject({ id: "sim/big", contextWindow: 9 });
    const empty = await post({ provider: "sim", models: [" "] });
    expect([empty.status, empty.text]).toEqual([400, "model required\n"]);
  });

  it("A12 saving a provider takes effect at once", async () => {
    const [one, two] = [await upstream(), await upstream()];
    const started = await host(simple(one.base));
    const save = { models: { providers: { sim: { api_base: two.base, models: ["echo"] } } } };
    expect((await started.request("/api/config", { body: save })).status).toBe(200);
    await hear(started.service(providers).stream(ask("sim/echo"), never));
    await until(() => two.requests.length === 1, 5000, "a request at the new address");
    expect(one.requests).toEqual([]);
  });

  it.each(["oauth", "hybrid"])("C4 %s allows no models and needs oauth.provider", async (auth) => {
    const started = await host(simple("http://127.0.0.1:9/v1"));
    const save = (entry: Row) => started.request("/api/config", { body: { models: { providers: { openai: entry } } } });
    const base = { api_base: "http://127.0.0.1:9/v1" };
    const refused = await save({ ...base, auth });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("models.providers.openai.oauth.provider");
    expect((await save({ ...base, auth, oauth: { provider: "codex" }, models: [] })).status).toBe(200);
  });

  it("C5 responses.api legacy is refused", async () => {
    const started = await host(simple("http://127.0.0.1:9/v1"));
    const entry = { api_base: "http://127.0.0.1:9/v1", responses: { api: "legacy" } };
    const refused = await started.request("/api/config", { body: { models: { providers: { x: entry } } } });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("models.providers.x.responses.api must be one of");
  });
});

async function items(host: TestHost): Promise<Item[]> {
  const reply = (await host.request("/api/provider/runtime")).json() as { view: { items: Item[] } };
  return reply.view.items;
}

function act(host: TestHost, body: Row) {
  return host.request("/api/provider/runtime", { body });
}
