/** Accounts: those that logged in over those of the config, which is the default, and what survives what. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { rig, simulator } from "./kit.ts";

const named = (name: string, more: Record<string, unknown> = {}) => ({
  bot_id: `${name}@im.bot`,
  bot_token: `token-of-${name}-canary`,
  ilink_user_id: `oUser_${name}@im.wechat`,
  ...more,
});
const ids = ({ accounts }: { readonly accounts: readonly { readonly bot_id: string }[] }) =>
  accounts.map(({ bot_id }) => bot_id.replace("@im.bot", ""));
const defaultOf = ({ accounts }: { readonly accounts: readonly { bot_id: string; default: boolean }[] }) =>
  accounts.filter((account) => account.default).map(({ bot_id }) => bot_id.replace("@im.bot", ""));

describe("accounts of the config", () => {
  it("are listed by name, the single one of old configs too; secrets show as names alone", async () => {
    const { status, sim } = await rig({
      weixin: {
        accounts: [
          named("b", { context_token: "context-canary-1", get_updates_buf: "cursor-canary-1" }),
          named("a"),
          { bot_id: "without-token@im.bot" },
        ],
        ...named("c"),
      },
    });
    const now = await status();
    expect(now.accounts).toEqual([
      { bot_id: "a@im.bot", ilink_user_id: "oUser_a@im.wechat", connected: false, default: false },
      {
        bot_id: "b@im.bot",
        ilink_user_id: "oUser_b@im.wechat",
        context_token: "__CHELA_REDACTED__",
        get_updates_buf: "__CHELA_REDACTED__",
        connected: false,
        default: false,
      },
      { bot_id: "c@im.bot", ilink_user_id: "oUser_c@im.wechat", connected: false, default: false },
    ]);
    expect(JSON.stringify(now)).not.toContain("canary");
    expect(sim.journal).toEqual([]);
  });

  it("stay removed, until the config gives another token", async () => {
    const stateDir = tempDir("weixin");
    const sim = await simulator();
    const weixin = { accounts: [named("a"), named("b")], default_bot_id: "a@im.bot" };
    const before = await rig({ stateDir, sim, weixin });
    expect(defaultOf(await before.status())).toEqual(["a"]);
    expect((await before.post("accounts/remove", { bot_id: "a@im.bot" })).status).toBe(200);
    expect(before.events.at(-1)).toMatchObject({ type: "config_changed", payload: { source: "weixin" } });
    expect(readFileSync(before.bookPath, "utf8")).toContain("token-of-a-canary");
    await before.host.stop();
    const after = await rig({ stateDir, sim, weixin });
    expect(ids(await after.status())).toEqual(["b"]);
    expect(defaultOf(await after.status())).toEqual(["b"]);
    const path = "channels.weixin.accounts";
    await after.host.config.write([{ path, value: [named("a", { bot_token: "another-canary-token" })] }], {
      who: "test",
    });
    expect(ids(await after.status())).toEqual(["a"]);
  });

  it("give way to a login with the same name, and do not come back when that is removed", async () => {
    const { sim, start, post, status } = await rig({ weixin: { accounts: [named("a")] } });
    const { qr_code } = await start();
    sim.logins.confirm(qr_code, { botId: "a@im.bot", user: "oUser_New@im.wechat" });
    await expect.poll(async () => (await status()).accounts).toMatchObject([{ ilink_user_id: "oUser_New@im.wechat" }]);
    const reply = await post("accounts/remove", { bot_id: "a@im.bot" });
    expect(reply.json()).toMatchObject({ ok: true, accounts: [] });
  });

  it("give way to a new login of the same user", async () => {
    const { login, status } = await rig({ weixin: { accounts: [named("a"), named("b")] } });
    const { bot } = await login("oUser_a@im.wechat");
    expect(ids(await status())).toEqual([bot.replace("@im.bot", ""), "b"].sort());
  });

  it("are left in the config as they stand, so that nothing of them is written where it was not", async () => {
    const { host, post } = await rig({ weixin: { accounts: [named("a"), named("b")] } });
    const file = readFileSync(host.config.path, "utf8");
    await post("accounts/remove", { bot_id: "a@im.bot" });
    await post("accounts/default", { bot_id: "b@im.bot" });
    expect(readFileSync(host.config.path, "utf8")).toBe(file);
  });
});

describe("the default account", () => {
  it("is the sole one, else the one that was chosen, here before in the config, else none", async () => {
    const accounts = [named("a"), named("b"), named("c")];
    const { status, post, host } = await rig({ weixin: { accounts } });
    const name = (value: unknown) =>
      host.config.write([{ path: "channels.weixin.default_bot_id", value }], { who: "test" });
    expect(defaultOf(await status())).toEqual([]);
    await name("c@im.bot");
    expect(defaultOf(await status())).toEqual(["c"]);
    await name("nobody@im.bot");
    expect(defaultOf(await status())).toEqual([]);
    await name("c@im.bot");
    expect((await post("accounts/default", { bot_id: " b@im.bot " })).json()).toMatchObject({ ok: true });
    expect(defaultOf(await status())).toEqual(["b"]);
    await post("accounts/remove", { bot_id: "c@im.bot" });
    expect(defaultOf(await status())).toEqual(["b"]);
    await post("accounts/remove", { bot_id: "b@im.bot" });
    expect(defaultOf(await status())).toEqual(["a"]);
  });

  it("stays when another one logs in", async () => {
    const { login, status } = await rig();
    const first = await login("oSimUser_1@im.wechat");
    await login("oSimUser_2@im.wechat");
    expect(defaultOf(await status())).toEqual([first.bot.replace("@im.bot", "")]);
  });
});

describe("the file", () => {
  it("is read again after a restart, and is its owner's alone", async () => {
    const stateDir = tempDir("weixin");
    const sim = await simulator();
    const before = await rig({ stateDir, sim });
    const { bot } = await before.login();
    await before.host.stop();
    const after = await rig({ stateDir, sim });
    const { accounts } = await after.status();
    expect(accounts).toMatchObject([{ bot_id: bot, default: true }]);
    expect(accounts[0]?.updated_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(statSync(after.bookPath).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["damaged", '{"version":1,"accounts":[{"bot_id"'],
    ["of a newer version", '{"version":2,"accounts":[]}'],
    ["of another shape", '{"version":1,"default_bot_id":"","accounts":[{"bot_id":1}],"old_tokens":[],"removed":[]}'],
  ])("is told of when it is %s, and set aside before it is written anew", async (_, text) => {
    const stateDir = tempDir("weixin");
    const path = join(stateDir, "data/weixin/accounts.json");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    const { status, login, host, book } = await rig({ stateDir });
    expect(await status()).toMatchObject({ ok: true, accounts: [] });
    const checks = (await host.gateway.health()).checks;
    expect(checks.find(({ plugin }) => plugin === "weixin")).toMatchObject({ ok: false });
    expect(host.logs().filter(({ level }) => level === "ERROR")).toHaveLength(1);
    const { bot } = await login();
    expect(book().accounts).toMatchObject([{ bot_id: bot }]);
    const aside = readdirSync(dirname(path)).filter((name) => name.startsWith("accounts.broken-"));
    expect(aside.map((name) => readFileSync(join(dirname(path), name), "utf8"))).toEqual([text]);
    expect((await host.gateway.health()).checks.find(({ plugin }) => plugin === "weixin")).toMatchObject({ ok: true });
  });

  it("keeps at most ten old tokens, and tells them to servers of the same site only", async () => {
    const { sim, login, book, start, host } = await rig();
    for (let count = 0; count < 13; count += 1) await login("oSimUser_Same@im.wechat");
    expect(book().old_tokens).toHaveLength(10);
    await start();
    const told = sim.asked("/get_bot_qrcode").at(-1)?.body?.local_token_list as string[];
    expect(told).toHaveLength(10);
    expect(told[0]).toBe(book().accounts[0]?.bot_token);
    await host.config.write([{ path: "channels.weixin.base_url", value: sim.altApiBase }], { who: "test" });
    await start();
    expect(sim.asked("/get_bot_qrcode", "B").at(-1)?.body).toEqual({ local_token_list: [] });
  });
});
