/** ClawGo contract §1.5 and §3.1 with accounts: what logins answer and leave behind, and how their vendors are asked. */
import { expect, it } from "vitest";
import { httpServer } from "../kit/http-server.ts";
import { account, imported, inMinutes, internal, provider, said, setting, vendor } from "./oauth-kit.ts";

it("1.5 a server that is away: a login does not start with 500, and does not end with 400", async () => {
  const away = { origin: "http://127.0.0.1:9" };
  const device = { device_auth_url: `${away.origin}/code` };
  const { post } = await setting({ main: provider(away), device: provider(away, device) });
  const { body } = await post("start", { provider: "main" });
  const started = await post("start", { provider: "device" });
  expect([started.status, started.text]).toEqual([500, expect.stringContaining("oauth login cannot start: ")]);
  expect(started.text).toContain("cannot be reached");
  const state = new URL(String(body.auth_url)).searchParams.get("state");
  const ended = await post("complete", { flow_id: body.flow_id, callback_url: `?code=c&state=${state}` });
  expect([ended.status, ended.text]).toEqual([400, expect.stringContaining("oauth token exchange failed: ")]);
  const again = await post("complete", { flow_id: body.flow_id, callback_url: `?code=c&state=${state}` });
  expect([again.status, again.text]).toEqual([400, "oauth flow not found"]);
});

it("1.5 a provider that a login brings along is in the config afterwards; one that is there stays as it is", async () => {
  const server = await vendor();
  const at = await setting({ main: provider(server) });
  const { host, accounts, post } = at;
  const saved = (name: string) => host.config.get(`models.providers.${name}`, "file").value as object | undefined;
  const brought = {
    api_base: "https://api.acme.example/v1",
    models: ["m"],
    timeout_sec: 7,
    oauth: { provider: "codex" },
  };
  const token = { access_token: "t", email: "a@x.org" };
  expect((await imported(at, "fresh", token, brought)).body).toMatchObject({ ok: true, account: "a@x.org" });
  expect(saved("fresh")).toEqual({ ...brought, auth: "oauth" });
  expect(await accounts("fresh")).toMatchObject([{ email: "a@x.org" }]);

  const before = saved("main");
  expect((await imported(at, "main", token, { ...brought, models: ["other"] })).status).toBe(200);
  expect(saved("main")).toEqual(before);

  const refused = async (name: string, config: object) => {
    const { status, text } = await post("start", { provider: name, provider_config: config });
    expect(saved(name)).toBeUndefined();
    return `${status} ${text}`;
  };
  const urls = { auth_url: "https://login.acme.example/a", token_url: "https://login.acme.example/t" };
  const homeless = { models: ["m"], oauth: { provider: "acme", client_id: "c", ...urls } };
  expect(await refused("nowhere", homeless)).toMatch(/^400 models.providers.nowhere.api_base must be set/);
  expect(await refused("odd", { ...brought, api_key: 5 })).toBe("400 invalid provider_config");
  expect(await refused("late", { ...brought, timeout_sec: -1 })).toMatch(/^400 .*timeout_sec must be > 0/);
});

it("1.5 without a name and without a primary model, the first provider is meant", async () => {
  const server = await vendor();
  const { models: _, ...bare } = provider(server);
  const { host, accounts, post } = await setting({ main: bare, other: bare }, { "acme.json": account() });
  expect(await accounts("")).toMatchObject([{ email: "a@x.org" }]);
  expect((await post("start", {})).body).toMatchObject({ ok: true, mode: "callback" });
  const ranked = await host.request("/api/provider/runtime", { body: { action: "rerank" } });
  expect(ranked.json()).toMatchObject({ ok: true, provider: "main", reranked: true });
});

it("3.1 antigravity is asked with the project of the account, its replies come out of their envelope", async () => {
  const server = await httpServer((_req, res) => {
    res.setHeader("content-type", "text/event-stream");
    const part = (text: string, more = {}) => ({ candidates: [{ content: { parts: [{ text }] }, ...more }] });
    for (const response of [part("h"), part("i", { finishReason: "STOP" })])
      res.write(`data: ${JSON.stringify({ response, traceId: "t" })}\n\n`);
    res.end();
  });
  const oauth = { provider: "antigravity", client_id: "c", client_secret: "s" };
  const { host } = await setting(
    { main: { api_base: server.origin, models: ["m"], auth: "oauth", oauth } },
    { "antigravity.json": account({ provider: "antigravity", project_id: "proj-9", expire: inMinutes(60) }) },
  );
  expect(await said(host)).toBe("hi");
  const [asked] = server.seen;
  expect(asked).toMatchObject({ path: "/v1internal:streamGenerateContent?alt=sse" });
  expect(asked?.headers).toMatchObject({ authorization: "Bearer old" });
  expect(asked?.headers).not.toHaveProperty("x-goog-user-project");
  expect(JSON.parse(String(asked?.body))).toMatchObject({
    model: "m",
    project: "proj-9",
    request: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
  });
});

it.each(["gemini-cli", "geminicli", "google"])("3.1 %s is another name of gemini", async (name) => {
  const { host } = await setting({ [name]: { models: ["m"], api_key: "k" } });
  const { providers: rows } = (await host.gateway.call("providers.list", {}, internal)) as {
    providers: readonly Record<string, unknown>[];
  };
  expect(rows).toMatchObject([{ name, preset: "gemini", wire: "gemini" }]);
});
