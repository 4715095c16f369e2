/** Logins by QR code against a simulated iLink: every status that there is, and what the server is told. */
import { mkdirSync, rmSync, statSync } from "node:fs";
import type { TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { rig, simulator } from "./kit.ts";

const statusPath = "/get_qrcode_status";

describe("a login", () => {
  it("is waited for, scanned and confirmed; its account is stored, the first one is the default", async () => {
    const { sim, start, at, status, book, bookPath, events } = await rig();
    const login = await start();
    expect(login).toMatchObject({ status: "wait", last_error: "", qr_available: true, qr_code: sim.logins.keys[0] });
    expect(login.login_id).toMatch(/^clawgo-weixin:\d{13}-[0-9a-f]{8}$/);
    sim.logins.scan(login.qr_code, "oSimUser_First@im.wechat");
    await at(login, "scaned");
    const { bot, token } = sim.logins.confirm(login.qr_code);
    const done = await until(async () => {
      const now = await status();
      return now.accounts.length > 0 && now;
    });
    expect(done).toMatchObject({
      ok: true,
      pending_logins: [],
      pending_login: { login_id: "", qr_code: "", status: "", qr_available: false },
      accounts: [{ bot_id: bot, ilink_user_id: "oSimUser_First@im.wechat", connected: false, default: true }],
    });
    expect(book()).toMatchObject({
      default_bot_id: bot,
      accounts: [{ bot_id: bot, bot_token: token, base_url: sim.apiBase, ilink_user_id: "oSimUser_First@im.wechat" }],
    });
    expect(statSync(bookPath).mode & 0o777).toBe(0o600);
    expect(sim.violations).toEqual([]);
    expect(sim.asked("/get_bot_qrcode")).toMatchObject([{ method: "POST", body: { local_token_list: [] } }]);
    const told = events.filter(({ type }) => type === "weixin_login" || type === "config_changed");
    expect(told.map(({ type, payload }) => [type, payload])).toEqual([
      ["weixin_login", { login_id: login.login_id, status: "wait" }],
      ["weixin_login", { login_id: login.login_id, status: "scaned" }],
      ["config_changed", { source: "weixin" }],
      ["weixin_login", { login_id: login.login_id, status: "confirmed" }],
    ]);
  });

  it("gets a new QR code when one has expired, three in all, and then ends; cancelling it works once", async () => {
    const { sim, start, at, post, status } = await rig();
    const login = await start();
    for (const count of [2, 3]) {
      sim.logins.expire(sim.logins.keys.at(-1) as string);
      const key = await until(() => sim.logins.keys.length === count && sim.logins.keys.at(-1));
      await until(async () => (await status()).pending_login.qr_code === key);
    }
    sim.logins.expire(sim.logins.keys.at(-1) as string);
    const ended = await at(login, "expired");
    expect(ended).toMatchObject({ qr_available: false, qr_code: "", last_error: "3 QR codes were shown in vain" });
    const asked = sim.journal.length;
    expect((await post("login/cancel", { login_id: login.login_id })).status).toBe(200);
    expect(await post("login/cancel", { login_id: login.login_id })).toMatchObject({
      status: 404,
      text: "login_id not found\n",
    });
    expect(sim.journal).toHaveLength(asked);
    expect(sim.logins.keys).toHaveLength(3);
  });

  it("can be confirmed with a QR code that took an expired one's place", async () => {
    const { sim, start, status } = await rig();
    const { qr_code } = await start();
    sim.logins.expire(qr_code);
    const key = await until(() => sim.logins.keys[1]);
    const { bot } = sim.logins.confirm(key);
    await until(async () => (await status()).accounts.some(({ bot_id }) => bot_id === bot));
  });

  it("tries again when there is no new QR code to be had yet", async () => {
    const { sim, start, status } = await rig();
    sim.fault({ path: "/get_bot_qrcode", after: 1, times: 2, do: { status: 500 } });
    const { qr_code } = await start();
    sim.logins.expire(qr_code);
    await until(async () => (await status()).pending_login.last_error.includes("HTTP 500"));
    expect((await status()).pending_login).toMatchObject({ status: "expired", qr_available: false });
    await until(async () => (await status()).pending_login.qr_available);
    expect((await status()).pending_login).toMatchObject({
      status: "wait",
      last_error: "",
      qr_code: sim.logins.keys[1],
    });
  });

  it("asks for the number on the phone, says when it is wrong, and sends it URL-encoded", async () => {
    const { sim, start, at, post, status } = await rig();
    const login = await start();
    expect((await post("login/verify", { login_id: login.login_id, code: "1" })).status).toBe(409);
    sim.logins.requireCode(login.qr_code, "4 2&ü-canary-code");
    await at(login, "need_verifycode");
    expect((await post("login/verify", { login_id: login.login_id, code: "wrong" })).status).toBe(200);
    await until(async () => (await status()).pending_login.last_error === "the number was not right");
    const asked = sim.asked(statusPath).length;
    await until(() => sim.asked(statusPath).length > asked + 1);
    expect((await status()).pending_login.last_error).toBe("the number was not right");
    expect((await post("login/verify", { login_id: login.login_id, code: "4 2&ü-canary-code" })).status).toBe(200);
    await at(login, "scaned");
    const codes = sim.asked(statusPath).map(({ query }) => query.get("verify_code"));
    expect(codes.filter((code) => code !== null)).toEqual(["wrong", "4 2&ü-canary-code"]);
    const { bot } = sim.logins.confirm(login.qr_code);
    await until(async () => (await status()).accounts.some(({ bot_id }) => bot_id === bot));
  });

  it("gets a new QR code after too many wrong numbers", async () => {
    const { sim, start, at, post } = await rig();
    const login = await start();
    sim.logins.requireCode(login.qr_code, "canary-77", 1);
    await at(login, "need_verifycode");
    await post("login/verify", { login_id: login.login_id, code: "1" });
    const key = await until(() => sim.logins.keys[1]);
    expect(await at(login, "wait")).toMatchObject({ qr_code: key, last_error: "" });
  });

  it("sends a number at once, also while the server holds the question", async () => {
    const { sim, start, at, post } = await rig({ qrHoldMs: 60_000, timing: { pollMs: 60_000 } });
    const login = await start();
    sim.logins.requireCode(login.qr_code, "canary-12");
    await at(login, "need_verifycode");
    await until(() => sim.asked(statusPath).filter(({ finishedAt }) => finishedAt === 0).length === 1);
    await post("login/verify", { login_id: login.login_id, code: "canary-12" });
    await at(login, "scaned");
  });

  it("goes on at another data centre, for itself alone, and keeps the address that comes with the account", async () => {
    const sim = await simulator();
    const allow_hosts = [new URL(sim.altApiBase).host];
    const { start, status, book } = await rig({ sim, weixin: { allow_hosts } });
    const here = await start();
    const there = await start();
    sim.logins.redirect(there.qr_code, sim.altApiBase);
    await until(() => sim.asked(statusPath, "B").length > 0);
    const atA = () => sim.asked(statusPath, "A").filter(({ query }) => query.get("qrcode") === there.qr_code).length;
    const before = atA();
    const two = sim.logins.confirm(there.qr_code, { baseurl: `${sim.altApiBase}/`, user: "oSimUser_B@im.wechat" });
    await until(async () => (await status()).accounts.length === 1);
    const one = sim.logins.confirm(here.qr_code);
    await until(async () => (await status()).accounts.length === 2);
    expect(atA()).toBe(before);
    expect(sim.asked(statusPath, "B").every(({ query }) => query.get("qrcode") === there.qr_code)).toBe(true);
    expect(book().accounts).toMatchObject([
      { bot_id: two.bot, base_url: sim.altApiBase },
      { bot_id: one.bot, base_url: sim.apiBase },
    ]);
  });

  it("stays where it is when the server names no other host, or one that nobody trusts", async () => {
    const { host, sim, start, status, book } = await rig();
    const login = await start();
    sim.logins.redirect(login.qr_code, "");
    await until(async () => (await status()).pending_login.last_error === "missing redirect_host");
    sim.logins.redirect(login.qr_code, sim.altApiBase);
    await until(async () =>
      (await status()).pending_login.last_error.startsWith(`redirect_host ${sim.altApiBase} is refused`),
    );
    expect(sim.asked(statusPath, "B")).toEqual([]);
    const other = await start();
    sim.logins.confirm(other.qr_code, { baseurl: "https://weixin.qq.com.evil.example" });
    await until(async () => (await status()).accounts.length === 1);
    expect(book().accounts).toMatchObject([{ base_url: sim.apiBase }]);
    expect(host.logs().filter(({ level }) => level === "WARN")).toMatchObject([
      { url: "https://weixin.qq.com.evil.example" },
    ]);
  });

  it("succeeds without new credentials when the gateway is bound already, as the server knows by the tokens", async () => {
    const { sim, start, login, status, book, events } = await rig();
    const { token } = await login();
    const stored = book();
    const again = await start();
    expect(sim.asked("/get_bot_qrcode").at(-1)?.body).toEqual({ local_token_list: [token] });
    sim.logins.alreadyBound(again.qr_code);
    await until(async () => (await status()).pending_logins.length === 0);
    expect(book()).toEqual(stored);
    expect(events.at(-1)?.payload).toEqual({ login_id: again.login_id, status: "binded_redirect" });
  });

  it("fails when it is said to be bound and no account is here, and when it is confirmed without credentials", async () => {
    const { sim, start, at } = await rig();
    const bound = await start();
    sim.logins.alreadyBound(bound.qr_code);
    expect((await at(bound, "failed")).last_error).toContain("no account is stored here");
    const bare = await start();
    sim.logins.confirm(bare.qr_code, { credentials: false });
    expect((await at(bare, "failed")).last_error).toContain("without credentials");
  });

  it("takes the place of the same user's account before, whose token is remembered", async () => {
    const { sim, start, login, status, book } = await rig();
    const first = await login("oSimUser_Same@im.wechat");
    const other = await login("oSimUser_Other@im.wechat");
    const second = await login("oSimUser_Same@im.wechat");
    const { accounts } = await status();
    expect(accounts.map(({ bot_id }) => bot_id)).toEqual([other.bot, second.bot].sort());
    expect(accounts.find((account) => account.default)?.bot_id).toBe(second.bot);
    expect(book()).toMatchObject({ old_tokens: [{ bot_token: first.token, base_url: sim.apiBase }] });
    await start();
    expect(sim.asked("/get_bot_qrcode").at(-1)?.body).toEqual({
      local_token_list: [second.token, other.token, first.token],
    });
  });

  it("is one of several: each has its own code, answers come from memory, cancelling one leaves the others", async () => {
    const { host, sim, start, status, post } = await rig({ qrHoldMs: 60_000, timing: { pollMs: 60_000 } });
    const [first, second] = [await start(), await start()];
    await until(() => sim.asked(statusPath).filter(({ finishedAt }) => finishedAt === 0).length === 2);
    const begun = performance.now();
    const now = await status();
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(now.pending_logins.map(({ login_id }) => login_id)).toEqual([first.login_id, second.login_id]);
    expect(now.pending_login).toEqual(now.pending_logins[0]);
    const qr = (query: string) => host.request(`/api/weixin/qr.svg${query}`);
    expect((await qr("")).text).toBe((await qr(`?login_id=${encodeURIComponent(first.login_id)}`)).text);
    expect((await qr(`?login_id=${encodeURIComponent(second.login_id)}`)).text).not.toBe((await qr("")).text);
    await post("login/cancel", { login_id: first.login_id });
    await until(() => sim.asked(statusPath).filter(({ aborted }) => aborted).length === 1);
    const { bot } = sim.logins.confirm(second.qr_code);
    await until(async () => (await status()).accounts.some(({ bot_id }) => bot_id === bot));
  });
});

describe("a login that goes wrong", () => {
  it.each([
    ["an error of the server", { status: 503 }, "HTTP 503"],
    ["a connection that breaks", "reset", "cannot be reached"],
    ["a refusal in the body", { json: { ret: -1, errmsg: "not\nnow" } }, "iLink refused: not now (ret -1)"],
  ] as const)("tells of %s, goes on, and forgets it when it is over", async (_, fault, said) => {
    const { sim, start, status } = await rig();
    sim.fault({ path: statusPath, times: 3, do: fault });
    const { qr_code } = await start();
    await until(async () => (await status()).pending_login.last_error.includes(said));
    expect((await status()).ok).toBe(true);
    sim.logins.scan(qr_code);
    await until(async () => (await status()).pending_login.status === "scaned");
    expect((await status()).pending_login.last_error).toBe("");
  });

  it.each([
    ["is no JSON", "malformed"],
    ["is not found", { status: 404 }],
    ["sends on to elsewhere", { status: 302 }],
    ["has no end", { status: 200, body: `{"status":"${"x".repeat(300_000)}"}` }],
  ] as const)("says at the top that an answer %s, until there is a better one", async (_, fault) => {
    const { sim, start, status } = await rig();
    sim.fault({ path: statusPath, do: fault });
    await start();
    await until(async () => (await status()).ok === false);
    expect(await status()).toMatchObject({ error: expect.stringContaining(statusPath), pending_logins: [{}] });
    sim.clearFaults();
    await until(async () => (await status()).ok);
  });

  it("has that in the reply to its start when it comes soon", async () => {
    const { sim, post } = await rig({ timing: { firstLookMs: 5000 } });
    sim.fault({ path: statusPath, do: { status: 404, body: "404 page not found" } });
    const reply = await post("login/start");
    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({ ok: false, error: "iLink /ilink/bot/get_qrcode_status: HTTP 404" });
  });

  it("takes silence and an empty answer for waiting", async () => {
    const { sim, start, status } = await rig({ timing: { pollMs: 60 } });
    sim.fault({ path: statusPath, times: 2, do: "hang" });
    sim.fault({ path: statusPath, times: 2, do: "empty" });
    await start();
    await until(() => sim.asked(statusPath).length > 5);
    expect((await status()).pending_login).toMatchObject({ status: "wait", last_error: "" });
  });

  it("asks less and less often while it fails", async () => {
    const { sim, start } = await rig();
    sim.fault({ path: statusPath, do: { status: 500 } });
    await start();
    await until(() => sim.asked(statusPath).length === 6);
    const times = sim.asked(statusPath).map(({ at }) => at);
    expect((times[5] as number) - (times[4] as number)).toBeGreaterThanOrEqual(150);
  });

  it("shows a status that nobody knows, without what is in confidence in it", async () => {
    const { sim, start, at } = await rig();
    const login = await start();
    sim.logins.say(login.qr_code, { status: `Waiting_for_${login.qr_code}` });
    await at(login, "waiting_for_…");
  });

  it("ends when its time is over, and is forgotten after a while", async () => {
    const { start, at, status } = await rig({ timing: { loginMs: 150, keepMs: 300 } });
    const login = await start();
    expect(await at(login, "expired")).toMatchObject({ last_error: "nobody confirmed the login in time" });
    await until(async () => (await status()).pending_logins.length === 0);
  });

  it("is not begun when there are eight, and may be when one of them is cancelled", async () => {
    const { sim, start, status, post } = await rig();
    const replies = await Promise.all(Array.from({ length: 8 }, () => post("login/start")));
    expect(replies.map((reply) => reply.status)).toEqual(Array(8).fill(200));
    expect(await post("login/start")).toMatchObject({ status: 429 });
    expect(sim.logins.keys).toHaveLength(8);
    await post("login/cancel", { login_id: (await status()).pending_login.login_id });
    await start();
  });

  it("is answered with 502 when there is no QR code to be had, and leaves nothing behind", async () => {
    const { sim, post, status } = await rig();
    for (const [fault, said] of [
      ["reset", "cannot be reached"],
      [{ status: 500 }, "HTTP 500"],
      ["malformed", "no JSON"],
      ["empty", "without a QR code"],
      [{ json: { ret: 2, errmsg: "bad" } }, "iLink refused: bad (ret 2)"],
    ] as const) {
      sim.clearFaults();
      sim.fault({ path: "/get_bot_qrcode", do: fault });
      expect(await post("login/start")).toMatchObject({ status: 502, text: expect.stringContaining(said) });
    }
    expect((await status()).pending_logins).toEqual([]);
  });

  it("does not give the old tokens away when the server repeats them in its refusal", async () => {
    const { sim, login, post } = await rig();
    const { token } = await login();
    sim.fault({ path: "/get_bot_qrcode", do: { json: { errcode: -14, err_msg: `bad token ${token}` } } });
    expect(await post("login/start")).toMatchObject({ status: 502, text: "iLink refused: bad token … (ret -14)\n" });
  });

  it("asks by GET where the server knows no POST", async () => {
    const { sim, login } = await rig({ getOnly: true });
    await login();
    expect(sim.asked("/get_bot_qrcode").map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(sim.violations).toEqual([]);
  });

  it("keeps what it was given until it can be stored", async () => {
    const { sim, start, status, bookPath, book } = await rig();
    mkdirSync(bookPath, { recursive: true });
    const { qr_code } = await start();
    const { bot, token } = sim.logins.confirm(qr_code);
    await until(async () => (await status()).pending_login.last_error.includes("cannot be written"));
    expect((await status()).pending_login).toMatchObject({ status: "confirmed", qr_available: false });
    const asked = sim.asked(statusPath).length;
    rmSync(bookPath, { recursive: true });
    await until(async () => (await status()).accounts.length === 1);
    expect(book().accounts).toMatchObject([{ bot_id: bot, bot_token: token }]);
    expect(sim.asked(statusPath)).toHaveLength(asked);
  });

  it.each([
    ["the plugin is stopped", (host: TestHost) => host.plugins.disable("weixin", "test")],
    ["the gateway is stopped", (host: TestHost) => host.stop()],
    [
      "the channel is switched off",
      (host: TestHost) => host.config.write([{ path: "channels.weixin.enabled", value: false }], { who: "test" }),
    ],
  ] as const)("ends at once when %s, and asks nothing more", async (_, end) => {
    const { host, sim, start } = await rig({ qrHoldMs: 60_000, timing: { pollMs: 60_000 } });
    await start();
    await until(() => sim.asked(statusPath).length === 1);
    const begun = performance.now();
    await end(host);
    await until(() => sim.asked(statusPath)[0]?.aborted);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(sim.asked(statusPath)).toHaveLength(1);
  });
});
