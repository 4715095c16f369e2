import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import channels from "../../../plugins/channels/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { ask, mark, open, path, weixin } from "./kit.ts";

const token = "123456:canary-telegram-token";
const other = "654321:another-telegram-token";

describe("a draft", () => {
  test("is shown beside what is persisted, and changes nothing there", async () => {
    const { host, draft, saved } = await open({ channels: { telegram: { streaming: true } } });
    const reply = await draft("telegram", { enabled: true, allow_from: ["1"] });
    const wanted = { streaming: true, enabled: true, allow_from: ["1"] };
    expect([reply.status, reply.json()]).toEqual([
      200,
      {
        ok: true,
        channel: "telegram",
        persisted: { streaming: true },
        draft: wanted,
        effective: wanted,
        dirty: true,
      },
    ]);
    expect((await ask(host, "GET", `${path}?channel=telegram`)).json()).toEqual(reply.json());
    expect(saved()).toEqual({ channels: { telegram: { streaming: true } } });
  });

  test("of every channel is told at once; weixin tells of its runtime", async () => {
    const { draft, show } = await open();
    await draft("weixin", { enabled: true });
    const telegram = { channel: "telegram", persisted: {}, draft: null, effective: {}, dirty: false };
    expect(await show()).toEqual({
      ok: true,
      channels: {
        weixin: {
          channel: "weixin",
          persisted: { enabled: false, accounts: [] },
          draft: { enabled: true, accounts: [] },
          effective: { enabled: true, accounts: [] },
          dirty: true,
          runtime_enabled: true,
        },
        telegram,
        feishu: { ...telegram, channel: "feishu" },
      },
    });
  });

  test("grows with each merge; null says nothing, a list replaces a list", async () => {
    const { draft, show, drafts } = await open();
    await draft("feishu", { enabled: true, allow_from: ["a", "b"], nested: { x: 1 } });
    await draft(" Feishu ", { enabled: null, allow_from: ["c"], nested: { y: 2 }, empty: {} });
    expect((await show("feishu")).draft).toEqual({
      enabled: true,
      allow_from: ["c"],
      nested: { x: 1, y: 2 },
      empty: {},
    });
    expect(drafts.edits().map(({ path: edited }) => edited)).toEqual([
      "channels.feishu.enabled",
      "channels.feishu.allow_from",
      "channels.feishu.nested.x",
      "channels.feishu.nested.y",
    ]);
  });

  test("each change of one is an event, and nothing else is", async () => {
    const { host, draft } = await open();
    const socket = await host.connect("/api/events/live");
    await socket.next();
    await draft("telegram", { enabled: false });
    await draft("nowhere", {});
    await draft("weixin", { enabled: "perhaps" });
    await ask(host, "DELETE", `${path}?channel=feishu`);
    await ask(host, "DELETE", path);
    const frames = [await socket.next(), await socket.next()];
    expect(frames).toMatchObject([
      { type: "channel_draft_changed", channel: "telegram" },
      { type: "channel_draft_changed", channel: "telegram" },
    ]);
    await draft("feishu", {});
    expect(await socket.next()).toMatchObject({ type: "channel_draft_changed", channel: "feishu" });
  });

  test("is thrown away alone or with all others", async () => {
    const { host, draft, show } = await open();
    for (const channel of ["weixin", "telegram", "feishu"]) await draft(channel, { enabled: false });
    const one = await ask(host, "DELETE", `${path}?channel=telegram`);
    expect(one.json()).toEqual({ ok: true, channel: "telegram", cleared: true });
    expect(Object.values((await show()).channels).map(({ dirty }) => dirty)).toEqual([true, false, true]);
    expect((await ask(host, "DELETE", path)).json()).toEqual({ ok: true, cleared: "all" });
    expect(Object.values((await show()).channels).map(({ dirty }) => dirty)).toEqual([false, false, false]);
  });

  test("needs read to see, admin to change", async () => {
    const { host } = await open({}, { plugins: [apiConfig, channels, weixin, keys] });
    const asked = { method: "keys.add", params: { name: "reader", scopes: ["write"] } };
    const { key } = ((await ask(host, "POST", "/api/call", asked)).json() as { result: { key: string } }).result;
    const answers = [
      ["GET", path],
      ["POST", path],
      ["DELETE", path],
      ["POST", `${path}/commit`],
    ].map(async ([method, to]) => (await host.request(to as string, { method: method as string, token: key })).status);
    expect(await Promise.all(answers)).toEqual([200, 403, 403, 403]);
    expect((await host.request(path, { token: null })).status).toBe(401);
  });
});

describe("secrets of a draft", () => {
  test("are shown nowhere, kept in a file of the owner, and in clear for the channel", async () => {
    const { host, draft, drafts, show, dataFile } = await open({ channels: { telegram: { token: other } } });
    await draft("telegram", { token, note: `see ${token}` });
    const seen = [await draft("telegram", { enabled: true }), await ask(host, "GET", path)];
    for (const { text } of seen) expect(text).not.toMatch(/canary|another/);
    expect(await show("telegram")).toMatchObject({ persisted: { token: mark }, draft: { token: mark, note: mark } });
    expect(drafts.get("telegram")).toEqual({ token, note: `see ${token}`, enabled: true });
    expect(statSync(dataFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(dataFile, "utf8")).not.toContain(other);
    expect(JSON.stringify(host.logs())).not.toContain("canary");
  });

  test("come back as the mark: the draft's own stays the draft's, the file's stays the file's", async () => {
    const { draft, drafts, commit, saved } = await open({
      channels: { telegram: { token: other }, feishu: { app_secret: "feishu-secret-of-the-file" } },
    });
    await draft("telegram", { token });
    await draft("telegram", { token: mark, enabled: false });
    await draft("feishu", { app_secret: mark, enabled: false });
    expect(drafts.get("telegram")).toMatchObject({ token });
    expect(drafts.get("feishu")).toMatchObject({ app_secret: "feishu-secret-of-the-file" });
    expect((await commit()).status).toBe(200);
    expect(saved()).toEqual({
      channels: {
        telegram: { token, enabled: false },
        feishu: { app_secret: "feishu-secret-of-the-file", enabled: false },
      },
    });
  });

  test("in lists come back by their id, from the draft or from the file", async () => {
    const file = [{ bot_id: "a", bot_token: "token-of-a-in-the-file" }];
    const { draft, drafts, commit, saved } = await open({ channels: { weixin: { accounts: file } } });
    const b = { bot_id: "b", bot_token: "token-of-b-in-the-draft" };
    await draft("weixin", { accounts: [{ bot_id: "a", bot_token: mark }, b] });
    expect(drafts.get("weixin")).toMatchObject({ accounts: [...file, b] });
    const unknown = await draft("weixin", { accounts: [{ bot_id: "c", bot_token: mark }] });
    expect([unknown.status, unknown.text]).toEqual([
      400,
      "invalid weixin config: channels.weixin.accounts.0.bot_token must be given: nothing is stored here that could be kept\n",
    ]);
    const same = await draft("weixin", {
      accounts: [
        { bot_id: "a", bot_token: mark },
        { bot_id: "b", bot_token: mark },
      ],
    });
    expect(same.status).toBe(200);
    expect((await commit()).status).toBe(200);
    expect(saved()).toEqual({ channels: { weixin: { accounts: [...file, b] } } });
    expect((await draft("weixin", { accounts: [{ bot_id: "b", bot_token: mark }] })).status).toBe(200);
    expect(drafts.get("weixin")).toMatchObject({ accounts: [b] });
  });

  test("that are nowhere cannot be kept", async () => {
    const { draft, show } = await open();
    const reply = await draft("telegram", { token: mark });
    expect([reply.status, reply.text]).toEqual([
      400,
      "invalid telegram config: channels.telegram.token must be given: nothing is stored here that could be kept\n",
    ]);
    expect((await show("telegram")).dirty).toBe(false);
  });

  test("a reference stays a reference in the file, whatever it stands for", async () => {
    const { draft, drafts, commit, saved } = await open(
      { channels: { telegram: { token: `$\{TG}` } } },
      { env: { TG: token } },
    );
    await draft("telegram", { enabled: true });
    expect(drafts.get("telegram")).toEqual({ token, enabled: true });
    await commit();
    expect(saved()).toEqual({ channels: { telegram: { token: `$\{TG}`, enabled: true } } });
  });

  test("a draft whose secret is gone from the file can be seen but not tried", async () => {
    const { host, draft, drafts, show, commit } = await open({ channels: { telegram: { token } } });
    await draft("telegram", { token: mark, enabled: true });
    await host.config.write([{ path: "channels.telegram.token", value: undefined }], { who: "test" });
    expect(drafts.get("telegram")).toBeUndefined();
    expect(await show("telegram")).toMatchObject({ draft: { token: mark }, dirty: true });
    expect((await commit()).text).toContain("channels.telegram.token must be given");
    expect((await show("telegram")).dirty).toBe(true);
  });
});
