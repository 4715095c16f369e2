import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { channelDrafts } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { ask, open, path } from "./kit.ts";

const token = "123456:canary-telegram-token";
const deep = (levels: number): object => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as object;
const deepList = (levels: number): object => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as object;

describe("what no draft can be", () => {
  test.each([
    ["telegram", undefined, "invalid telegram config: it must be an object"],
    ["telegram", null, "invalid telegram config: it must be an object"],
    ["telegram", [], "invalid telegram config: it must be an object"],
    ["telegram", "on", "invalid telegram config: it must be an object"],
    ["weixin", { enabled: "on" }, "invalid weixin config: channels.weixin.enabled must be boolean"],
    ["weixin", { accounts: { length: 1 } }, "invalid weixin config: channels.weixin.accounts must be array"],
    [
      "telegram",
      { constructor: { prototype: 1 } },
      'invalid telegram config: the key "constructor" in channels.telegram is not allowed; choose another name',
    ],
    ["", {}, "unsupported channel"],
    [undefined, {}, "unsupported channel"],
    ["qq", {}, "unsupported channel"],
    ["__proto__", {}, "unsupported channel"],
    ["weixin.enabled", {}, "unsupported channel"],
    ["constructor", {}, "unsupported channel"],
  ])("%s %j is 400: %s", async (channel, config, text) => {
    const { host, draft, show } = await open();
    const reply = await draft(channel, config);
    expect([reply.status, reply.text, reply.headers["content-type"]]).toEqual([
      400,
      `${text}\n`,
      "text/plain; charset=utf-8",
    ]);
    for (const { dirty } of Object.values((await show()).channels)) expect(dirty).toBe(false);
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  test.each(["GET", "DELETE"])("%s of an unknown channel", async (method) => {
    const { host } = await open();
    for (const channel of ["qq", "toString", "%00"]) {
      const reply = await ask(host, method, `${path}?channel=${channel}`);
      expect([reply.status, reply.text]).toEqual([400, "unsupported channel\n"]);
    }
  });

  test("bodies that are no JSON object, too deep or too large", async () => {
    const { host, draft } = await open();
    for (const body of ["{", "[]", '"x"', "", JSON.stringify({ channel: "telegram", config: deep(70) })])
      expect([body.slice(0, 9), (await ask(host, "POST", path, body)).status]).toEqual([body.slice(0, 9), 400]);
    expect((await draft("telegram", { text: "x".repeat(300_000) })).status).toBe(413);
    expect((await ask(host, "POST", `${path}/commit`, `{"x":"${"x".repeat(300_000)}"}`)).status).toBe(413);
  });

  test("`__proto__` reaches nothing", async () => {
    const { host, show } = await open();
    const body = `{"channel":"telegram","config":{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}}`;
    expect((await ask(host, "POST", path, body)).status).toBe(200);
    expect((await show("telegram")).draft).toEqual({ a: {} });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("of plugins neither: whatever they hand over", async () => {
    const { drafts } = await open();
    const refusal = (config: object) =>
      drafts.merge("telegram", config as never).catch((error: { code: string }) => error.code);
    const proto = JSON.parse('{"__proto__":{"x":1}}') as object;
    const wrong = [proto, deep(100), { list: deepList(100) }, { when: () => 1 }, { n: Number.NaN }, deep(9000)];
    for (const config of wrong) expect(await refusal(config)).toBe("CHANNEL_CONFIG");
    expect(await drafts.merge("qq", {}).catch((error: { code: string }) => error.code)).toBe("CHANNEL_UNKNOWN");
    expect(drafts.edits()).toEqual([]);
    expect(drafts.get("toString")).toBeUndefined();
  });

  test("more in total than one may hold, however it came", async () => {
    const { draft, drafts } = await open();
    const piece = "x".repeat(100_000);
    expect((await draft("telegram", { a: piece })).status).toBe(200);
    expect((await draft("telegram", { b: piece })).status).toBe(200);
    const reply = await draft("telegram", { c: piece });
    expect([reply.status, reply.text]).toEqual([400, "invalid telegram config: it is longer than 262144 characters\n"]);
    expect(Object.keys(drafts.get("telegram") ?? {})).toEqual(["a", "b"]);
  });
});

describe("many at once", () => {
  test("lose nothing", async () => {
    const { draft, drafts, commit, saved } = await open();
    const names = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const all = names.flatMap((name) => [draft("telegram", { [name]: 1 }), draft("feishu", { [name]: 2 })]);
    for (const { status } of await Promise.all(all)) expect(status).toBe(200);
    expect(Object.keys(drafts.get("telegram") ?? {}).sort()).toEqual([...names].sort());
    expect((await Promise.all([commit(), commit(), commit()])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(Object.keys(saved().channels.feishu ?? {})).toHaveLength(20);
  });
});

describe("the file of the drafts", () => {
  test("survives a restart of the gateway and of the plugin", async () => {
    const stateDir = tempDir("drafts");
    const first = await open({}, { stateDir });
    await first.draft("telegram", { token });
    await first.host.plugins.reload("channels");
    expect((await first.show("telegram")).dirty).toBe(true);
    await first.host.stop();
    const second = await open(undefined, { stateDir });
    expect(second.drafts.get("telegram")).toEqual({ token });
    expect((await second.commit()).status).toBe(200);
    expect(second.saved()).toEqual({ channels: { telegram: { token } } });
  });

  test("is read again however large it became", async () => {
    const { host, drafts, draft } = await open();
    const ones = Array.from({ length: 50_000 }, () => 1);
    const nested = (levels: number): unknown => (levels === 0 ? ones : [nested(levels - 1)]);
    expect((await draft("telegram", { list: nested(20) })).status).toBe(200);
    for (const channel of ["telegram", "feishu", "weixin"]) await drafts.merge(channel, { text: "文".repeat(60_000) });
    await host.plugins.reload("channels");
    await host.service(channelDrafts).merge("feishu", { text: "文".repeat(260_000) });
    await host.plugins.reload("channels");
    const after = host.service(channelDrafts);
    expect(after.get("telegram")).toEqual({ list: nested(20), text: "文".repeat(60_000) });
    expect(after.get("feishu")?.text).toHaveLength(260_000);
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  test("a draft that was written but not cleared before a crash is none", async () => {
    const stateDir = tempDir("drafts");
    const first = await open({}, { stateDir });
    await first.draft("telegram", { token });
    await first.draft("feishu", { enabled: true });
    await first.host.stop();
    const second = await open({ channels: { telegram: { token, enabled: true } } }, { stateDir });
    expect(second.drafts.edits()).toEqual([{ path: "channels.feishu.enabled", value: true }]);
    expect(readFileSync(second.dataFile, "utf8")).not.toContain(token);
  });

  const damages: readonly [string, string | Buffer][] = [
    ["cut off", '{"version":1,"drafts":{"tele'],
    ["with a slip of the hand", '{"token": canary-9f2}'],
    ["not UTF-8", Buffer.from([0xff, 0x00, 0xfe])],
    ["empty", ""],
    ["a list", "[]"],
    ["without drafts", '{"version":1}'],
    ["of another version", '{"version":2,"drafts":{}}'],
    ["with a prototype", '{"version":1,"drafts":{"telegram":{"__proto__":{"x":1}}}}'],
    ["too deep", `{"version":1,"drafts":{"telegram":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}}`],
    ["too large", `{"version":1,"drafts":{},"x":"${"x".repeat(3_000_000)}"}`],
  ];
  test.each(damages)("%s is set aside with a line in the log, and the plugin runs", async (_, bytes) => {
    const stateDir = tempDir("drafts");
    const file = join(stateDir, "data", "channels", "drafts.json");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    const { host, show, draft } = await open({}, { stateDir });
    expect((await show("telegram")).dirty).toBe(false);
    expect(host.logs().filter(({ level }) => level === "ERROR")).toMatchObject([
      { plugin: "channels", msg: expect.stringContaining("drafts.damaged.json") as unknown },
    ]);
    expect(JSON.stringify(host.logs())).not.toContain("canary");
    expect(existsSync(file)).toBe(false);
    expect(readFileSync(join(dirname(file), "drafts.damaged.json")).equals(Buffer.from(bytes))).toBe(true);
    expect((await draft("telegram", { enabled: true })).status).toBe(200);
    expect(existsSync(file)).toBe(true);
  });

  test("a folder in its place is set aside too", async () => {
    const stateDir = tempDir("drafts");
    const file = join(stateDir, "data", "channels", "drafts.json");
    mkdirSync(join(file, "inside"), { recursive: true });
    const { draft } = await open({}, { stateDir });
    expect(existsSync(join(dirname(file), "drafts.damaged.json", "inside"))).toBe(true);
    expect((await draft("telegram", {})).status).toBe(200);
  });

  test("drafts of channels that nobody knows, and what is no draft, are passed over", async () => {
    const stateDir = tempDir("drafts");
    const file = join(stateDir, "data", "channels", "drafts.json");
    mkdirSync(dirname(file), { recursive: true });
    const drafts = { qq: { enabled: true }, telegram: "on", feishu: { enabled: true } };
    writeFileSync(file, JSON.stringify({ version: 1, drafts }));
    const opened = await open({}, { stateDir });
    expect(opened.drafts.edits()).toEqual([{ path: "channels.feishu.enabled", value: true }]);
  });

  test("that cannot be written is a 500 that says so; the drafts stay as they were", async () => {
    const { draft, drafts, dataFile } = await open();
    await draft("telegram", { enabled: false });
    rmSync(dataFile);
    mkdirSync(join(dataFile, "in-the-way"), { recursive: true });
    const reply = await draft("telegram", { enabled: true });
    expect([reply.status, reply.text]).toEqual([500, expect.stringContaining("drafts.json cannot be written")]);
    await expect(drafts.clear()).rejects.toMatchObject({ code: "CHANNEL_DRAFTS_UNWRITABLE", status: 500 });
    expect(drafts.get("telegram")).toEqual({ enabled: false });
    rmSync(dataFile, { recursive: true });
    expect((await draft("telegram", { enabled: true })).status).toBe(200);
  });

  test("a config that was saved is saved, even when the drafts cannot be cleared", async () => {
    const { host, draft, commit, save, saved, dataFile } = await open();
    for (const finish of [commit, () => save({ own: 1 })]) {
      await draft("telegram", { token });
      rmSync(dataFile);
      mkdirSync(dataFile);
      expect((await finish()).status).toBe(200);
      expect(saved()).toMatchObject({ channels: { telegram: { token } } });
      rmSync(dataFile, { recursive: true });
      await host.config.write([{ path: "channels.telegram.token", value: undefined }], { who: "test" });
    }
    expect(JSON.stringify(host.logs())).toContain("cannot be written");
  });
});
