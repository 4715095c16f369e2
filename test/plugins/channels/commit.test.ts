import { existsSync, readFileSync } from "node:fs";
import { definePlugin } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import channels from "../../../plugins/channels/index.ts";
import { until } from "../../kit/until.ts";
import { ask, mark, open, path, weixin } from "./kit.ts";

const token = "123456:canary-telegram-token";

describe("a commit", () => {
  test("writes all drafts in one change, and they are drafts no more", async () => {
    const { host, draft, commit, saved, show, dataFile } = await open({ gateway: { port: 0 } });
    await draft("telegram", { enabled: true, token });
    await draft("weixin", { enabled: true });
    const before = (await host.config.backups()).length;
    const reply = await commit();
    expect([reply.status, reply.json()]).toMatchObject([
      200,
      {
        ok: true,
        committed: true,
        applied: ["channels.telegram.enabled", "channels.telegram.token", "channels.weixin.enabled"],
        restarted: [],
        hash: host.config.hash(),
      },
    ]);
    expect(saved()).toEqual({
      gateway: { port: 0 },
      channels: { telegram: { enabled: true, token }, weixin: { enabled: true } },
    });
    expect((await host.config.backups()).length).toBe(before + 1);
    expect(Object.values((await show()).channels).map(({ dirty }) => dirty)).toEqual([false, false, false]);
    expect(existsSync(dataFile)).toBe(false);
  });

  test("of nothing changes nothing, and says so", async () => {
    const { host, commit, draft, saved } = await open({ own: 1 });
    for (const prepare of [() => undefined, () => draft("feishu", {})]) {
      await prepare();
      expect((await commit()).json()).toMatchObject({ ok: true, committed: true, applied: [], restarted: [] });
    }
    expect(saved()).toEqual({ own: 1 });
    expect(await host.config.backups()).toEqual([]);
  });

  test("leaves alone what others changed meanwhile, comments included", async () => {
    const text = '{\n  // mine\n  "channels": { "telegram": { "enabled": false, "streaming": false } }\n}\n';
    const { host, draft, commit } = await open(text);
    await draft("telegram", { enabled: true });
    const elsewhere = Array.from({ length: 8 }, (_, index) =>
      host.config.write([{ path: `channels.telegram.key_${index}`, value: index }], { who: "test" }),
    );
    const [reply] = await Promise.all([
      commit(),
      host.config.write([{ path: "channels.telegram.streaming", value: true }], { who: "test" }),
      ...elsewhere,
    ]);
    expect(reply?.status).toBe(200);
    const telegram = { enabled: true, streaming: true, key_0: 0, key_7: 7 };
    expect(host.config.file()).toMatchObject({ channels: { telegram } });
    expect(readFileSync(host.config.path, "utf8")).toContain("  // mine\n");
  });

  test("that is refused keeps every draft", async () => {
    const { host, draft, commit, saved, show } = await open();
    await draft("telegram", { enabled: true, nested: { deep: 1 } });
    await draft("weixin", { enabled: true });
    await host.config.write([{ path: "channels.telegram.nested", value: "now a text" }], { who: "test" });
    const before = saved();
    const reply = await commit();
    expect(reply.status).toBe(400);
    expect(reply.text).toContain("channels.telegram.nested");
    expect(saved()).toEqual(before);
    expect(Object.values((await show()).channels).map(({ dirty }) => dirty)).toEqual([true, true, false]);
  });

  test("that a plugin cannot apply is taken back, and the drafts stay", async () => {
    const picky = definePlugin({ ...weixin, hot: [], setup: refusing } as never);
    const { host, draft, commit, saved, show } = await open({}, { plugins: [apiConfig, channels, picky] });
    await draft("weixin", { enabled: true });
    const reply = await commit();
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("not today")]);
    expect(saved()).toEqual({});
    expect((await show("weixin")).draft).toMatchObject({ enabled: true });
    expect(host.plugins.list().map(({ state }) => state)).not.toContain("quarantined");
  });

  test("what is drafted while it is written stays a draft", async () => {
    const { drafts, commit, saved, show } = await open();
    await drafts.merge("telegram", { enabled: true });
    const done = commit();
    await drafts.merge("telegram", { streaming: true });
    await drafts.merge("feishu", { enabled: true });
    expect((await done).status).toBe(200);
    const { telegram } = saved().channels;
    const { draft } = await show("telegram");
    expect({ ...telegram, ...draft }).toMatchObject({ enabled: true, streaming: true });
    const { feishu } = saved().channels;
    expect({ ...feishu, ...(await show("feishu")).draft }).toEqual({ enabled: true });
  });

  test("a rollback of it brings the config back, not the drafts", async () => {
    const { host, draft, commit, saved, show } = await open({ channels: { telegram: { enabled: false } } });
    await draft("telegram", { enabled: true });
    await commit();
    await draft("feishu", { enabled: true });
    expect((await ask(host, "POST", "/api/config/rollback", {})).status).toBe(200);
    expect(saved()).toEqual({ channels: { telegram: { enabled: false } } });
    expect((await show("telegram")).dirty).toBe(false);
    expect((await show("feishu")).dirty).toBe(true);
  });

  test.each(["hybrid", "hot", "off", "restart"])("ends the drafts in the reload mode %s", async (mode) => {
    const { host, draft, commit, saved, show, dataFile } = await open({ gateway: { reload: { mode } } });
    for (const finish of [commit, () => ask(host, "POST", "/api/config", {})]) {
      await draft("telegram", { token: `${token}-${finish.name}` });
      expect((await finish()).status).toBe(200);
      expect(saved().channels).toEqual({ telegram: { token: `${token}-${finish.name}` } });
      await until(() => !existsSync(dataFile));
      expect((await show("telegram")).dirty).toBe(false);
    }
    expect(host.logs().filter(({ level }) => level === "ERROR" || level === "WARN")).toEqual([]);
  });
});

describe("POST /api/config", () => {
  test.each(["", "?mode=raw", "?mode=normalized"])("takes the drafts along in its own change %s", async (query) => {
    const { host, draft, save, saved, show } = await open();
    await draft("weixin", { enabled: true });
    await draft("telegram", { token });
    const body = query === "?mode=normalized" ? { core: { tools: { shell_enabled: false } } } : { own: { key: 1 } };
    expect((await save(body, query)).status).toBe(200);
    expect(saved()).toMatchObject({ channels: { weixin: { enabled: true }, telegram: { token } } });
    expect(Object.keys(saved())).toHaveLength(2);
    expect(await host.config.backups()).toHaveLength(1);
    expect(Object.values((await show()).channels).map(({ dirty }) => dirty)).toEqual([false, false, false]);
  });

  test("wins over the draft where it says something itself, and where it says nothing does not", async () => {
    const { draft, save, saved, show } = await open({ channels: { telegram: { enabled: false } } });
    await draft("telegram", { enabled: true, streaming: true, token, allow_from: ["a"] });
    const body = { channels: { telegram: { enabled: false, streaming: null, allow_from: [] } } };
    expect((await save(body)).status).toBe(200);
    expect(saved()).toEqual({ channels: { telegram: { enabled: false, streaming: true, token, allow_from: [] } } });
    expect((await show("telegram")).dirty).toBe(false);
  });

  test("that shows the mark keeps the draft's secret, also in a list", async () => {
    const { draft, save, saved } = await open();
    const accounts = [{ bot_id: "a", bot_token: "token-of-a-in-the-draft" }];
    await draft("telegram", { token });
    await draft("weixin", { accounts });
    const shown = [{ bot_id: "a", bot_token: mark, ilink_user_id: "u" }];
    expect((await save({ channels: { telegram: { token: mark }, weixin: { accounts: shown } } })).status).toBe(200);
    expect(saved()).toEqual({
      channels: { telegram: { token }, weixin: { accounts: [{ ...accounts[0], ilink_user_id: "u" }] } },
    });
  });

  test("that is refused keeps the drafts: another version, a wrong value, a mark for nothing", async () => {
    const { draft, save, saved, show } = await open();
    await draft("telegram", { token });
    const refusals = [
      [{ own: 1 }, `?baseHash=${"0".repeat(64)}`, 409],
      [{ gateway: { port: "none" } }, "", 400],
      [{ own: { secret: mark } }, "", 400],
      [{ channels: { telegram: { token: `x${mark}` } } }, "", 400],
      [[], "", 400],
    ] as const;
    for (const [body, query, status] of refusals) {
      expect([body, (await save(body, query)).status]).toEqual([body, status]);
      expect([saved(), (await show("telegram")).dirty]).toEqual([{}, true]);
    }
  });

  test("goes on without the plugin of the drafts", async () => {
    const { host, draft, save, saved } = await open();
    await draft("telegram", { token });
    await host.plugins.disable("channels", "test");
    expect((await save({ own: 1 })).status).toBe(200);
    expect(saved()).toMatchObject({ own: 1 });
    expect(saved()).not.toHaveProperty("channels");
    expect((await ask(host, "GET", path)).status).toBe(404);
    await host.plugins.enable("channels", "test");
    expect((await save({})).status).toBe(200);
    expect(saved()).toMatchObject({ channels: { telegram: { token } } });
  });
});

/** Its setup fails for what the commit would switch on. */
function refusing(ctx: { config: { enabled: boolean }; provide: (...args: unknown[]) => void }): void {
  if (ctx.config.enabled) throw new Error("not today");
  ctx.provide(weixin.provides?.[0], { enabled: () => false });
}
