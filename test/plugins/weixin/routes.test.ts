/** `/api/weixin/*` as ClawGo's clients know it: codes, texts, fields and their types; and who may see and do what. */
import { definePlugin, type Identity } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { type Rig, rig, type Status } from "./kit.ts";
import { readQr } from "./qr-reader.ts";

const reader: Identity = { id: "key:r", name: "reader", kind: "key", scopes: ["read"] };
const readers = definePlugin({
  id: "readers",
  version: "1.0.0",
  host: "^1.0.0",
  setup: (ctx) => ctx.on("auth:identify", ({ candidates }) => (candidates[0]?.value === "reader" ? reader : undefined)),
});
const posts = ["login/start", "login/cancel", "login/verify", "accounts/remove", "accounts/default"];

async function off(options: Parameters<typeof rig>[0] = {}): Promise<Rig> {
  return rig({ ...options, weixin: { enabled: false, ...options.weixin } });
}

describe("the status", () => {
  it("has ClawGo's fields, all of them, of ClawGo's types", async () => {
    const { start, status, sim } = await rig();
    const login = await start();
    const now = await status();
    expect(now).toEqual({
      ok: true,
      enabled: true,
      config_enabled: true,
      runtime_enabled: true,
      draft_dirty: false,
      base_url: sim.apiBase,
      pending_logins: [login],
      pending_login: login,
      accounts: [],
    });
    expect(login).toEqual({
      login_id: expect.any(String),
      qr_code: sim.logins.keys[0],
      qr_code_img_content: expect.stringMatching(/^http:\/\/sim\.invalid\/q/),
      status: "wait",
      last_error: "",
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      qr_available: true,
    });
  });

  it("says 200 and why when the channel is off, and asks nobody", async () => {
    const { host, sim } = await off();
    const reply = await host.request("/api/weixin/status");
    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({
      ok: false,
      enabled: false,
      config_enabled: false,
      runtime_enabled: false,
      draft_dirty: false,
      base_url: sim.apiBase,
      error: "weixin channel unavailable",
    });
    expect(sim.journal).toEqual([]);
  });

  it("shows a reader no QR code, and nobody a token", async () => {
    const { host, sim, start, login, status } = await rig({ plugins: [readers] });
    await login();
    await start();
    const seen = await host.request("/api/weixin/status", { token: "reader" });
    expect(seen.status).toBe(200);
    expect(sim.logins.secrets.filter((secret) => seen.text.includes(secret))).toEqual([]);
    expect((seen.json() as Status).pending_login).toMatchObject({
      qr_code: "__CHELA_REDACTED__",
      qr_code_img_content: "__CHELA_REDACTED__",
      qr_available: true,
    });
    const own = JSON.stringify(await status());
    const key = sim.logins.keys.at(-1) as string;
    const shown = sim.logins.secrets.filter((secret) => own.includes(secret));
    expect(
      shown.every((secret) => secret === key || secret.includes("sim.invalid") || own.includes(`?qrcode=${secret}`)),
    ).toBe(true);
  });
});

describe("every route", () => {
  it("takes a credential, and for whatever changes something or shows a code the admin's", async () => {
    const { host } = await rig({ plugins: [readers] });
    for (const path of [...posts, "status", "qr.svg"]) {
      const method = posts.includes(path) ? "POST" : "GET";
      const ask = (token: string | null) => host.request(`/api/weixin/${path}`, { method, token });
      expect((await ask(null)).status, path).toBe(401);
      if (path !== "status") expect((await ask("reader")).status, path).toBe(403);
    }
  });

  it("refuses the wrong method with 405", async () => {
    const { host } = await rig();
    for (const path of [...posts, "status", "qr.svg"]) {
      const method = posts.includes(path) ? "GET" : "POST";
      expect((await host.request(`/api/weixin/${path}`, { method })).status, path).toBe(405);
    }
  });

  it.each([
    ["login/cancel", { login_id: "x" }, 404, "login_id not found\n"],
    ["login/cancel", {}, 404, "login_id not found\n"],
    ["login/verify", { login_id: "x", code: "1" }, 404, "login_id not found\n"],
    ["login/verify", { login_id: "x" }, 400, "code is required\n"],
    ["accounts/remove", { bot_id: "x@im.bot" }, 400, "bot_id not found: x@im.bot\n"],
    ["accounts/remove", {}, 400, "bot_id is required\n"],
    ["accounts/default", { bot_id: "x@im.bot" }, 400, "bot_id not found: x@im.bot\n"],
    ["accounts/default", { bot_id: " " }, 400, "bot_id is required\n"],
    ["accounts/default", { bot_id: 7 }, 400, "invalid json body\n"],
    ["login/cancel", [], 400, "invalid json body\n"],
    ["accounts/remove", "{", 400, "invalid json body\n"],
    ["accounts/remove", undefined, 400, "bot_id is required\n"],
  ])("answers %s %j with %i", async (path, body, status, text) => {
    const { post } = await rig();
    const reply = await post(path, body);
    expect(reply).toMatchObject({ status, text });
    expect(reply.headers["content-type"]).toMatch(/^text\/plain/);
  });

  it("but the start of a login is 503 while the channel is off, and there is no QR code", async () => {
    const { host, post } = await off();
    for (const path of posts.slice(1)) {
      const reply = await post(path, { login_id: "x", bot_id: "x", code: "1" });
      expect(reply, path).toMatchObject({ status: 503, text: "weixin channel unavailable\n" });
    }
    expect(await host.request("/api/weixin/qr.svg")).toMatchObject({ status: 404, text: "qr unavailable\n" });
  });
});

describe("the QR code", () => {
  it("can be read, and is drawn as ClawGo draws it", async () => {
    const { host, sim, start } = await rig();
    const { login_id, qr_code_img_content } = await start();
    const reply = await host.request(`/api/weixin/qr.svg?login_id=${encodeURIComponent(login_id)}`);
    expect(reply.headers).toMatchObject({ "content-type": "image/svg+xml", "cache-control": "no-store" });
    const total = Number(/^<svg xmlns="[^"]+" viewBox="0 0 (\d+) \1"/.exec(reply.text)?.[1]);
    expect(total / 8 - 48).toBeGreaterThanOrEqual(21);
    expect(reply.text).toContain(
      `<rect width="${total}" height="${total}" fill="#ffffff"/><g fill="#111111"><rect x="192" y="192" width="56"`,
    );
    expect(readQr(reply.text)).toBe(qr_code_img_content);
    expect(sim.logins.secrets).toContain(qr_code_img_content);
  });

  it("is there for a login that has one, by its id or the first of all", async () => {
    const { host, start, post } = await rig();
    const qr = (id = "") => host.request(`/api/weixin/qr.svg?login_id=${encodeURIComponent(id)}`);
    expect(await qr()).toMatchObject({ status: 404, text: "qr unavailable\n" });
    const [first, second] = [await start(), await start()];
    expect(readQr((await qr()).text)).toBe(first.qr_code_img_content);
    expect(readQr((await qr(second.login_id)).text)).toBe(second.qr_code_img_content);
    await post("login/cancel", { login_id: first.login_id });
    expect((await qr(first.login_id)).status).toBe(404);
    expect(readQr((await qr()).text)).toBe(second.qr_code_img_content);
  });

  it.each([
    ["nothing", {}],
    ["more than fits", { qrcode_img_content: "编".repeat(1000) }],
  ])("shows the key when the server gives %s to show", async (_, more) => {
    const { host, sim, post } = await rig();
    sim.fault({ path: "/get_bot_qrcode", do: { json: { qrcode: "canary-key-alone", ...more } } });
    await post("login/start");
    expect(readQr((await host.request("/api/weixin/qr.svg")).text)).toBe("canary-key-alone");
  });
});

describe("a channel that is off in the config", () => {
  it("is switched on as a draft by a login; what logs in is stored, though the draft is dropped", async () => {
    const { host, sim, start, status, login } = await off();
    const row = await start();
    expect(row.status).toBe("wait");
    expect(await status()).toMatchObject({
      ok: true,
      enabled: true,
      config_enabled: false,
      runtime_enabled: true,
      draft_dirty: true,
      base_url: sim.apiBase,
    });
    const { bot } = await login();
    await host.request("/api/channels/draft?channel=weixin", { method: "DELETE" });
    expect(await status()).toMatchObject({ ok: false, runtime_enabled: false, draft_dirty: false });
    await until(() => sim.asked("/get_qrcode_status").every(({ finishedAt }) => finishedAt > 0));
    await host.config.write([{ path: "channels.weixin.enabled", value: true }], { who: "test" });
    expect(await status()).toMatchObject({ ok: true, pending_logins: [], accounts: [{ bot_id: bot, default: true }] });
  });

  it("goes by the draft: its address, its accounts", async () => {
    const { host, sim, start, status } = await off({ weixin: { base_url: "http://127.0.0.1:9" } });
    const config = {
      enabled: true,
      base_url: sim.apiBase,
      accounts: [{ bot_id: "d@im.bot", bot_token: "draft-token-canary" }],
    };
    await host.request("/api/channels/draft", { body: { channel: "weixin", config } });
    expect(await status()).toMatchObject({
      ok: true,
      draft_dirty: true,
      base_url: sim.apiBase,
      accounts: [{ bot_id: "d@im.bot" }],
    });
    await start();
    expect(sim.asked("/get_bot_qrcode")[0]?.body).toEqual({ local_token_list: ["draft-token-canary"] });
    expect(JSON.stringify([host.logs(), await status()])).not.toContain("draft-token-canary");
  });

  it("stays off when nobody keeps drafts", async () => {
    const { host, post } = await off();
    await host.plugins.disable("channels", "test");
    expect(await post("login/start")).toMatchObject({ status: 503, text: "weixin channel unavailable\n" });
  });
});
