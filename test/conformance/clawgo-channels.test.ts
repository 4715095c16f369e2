/** ClawGo contract §1.4, §1.6 and the cases A4 to A6: drafts of channel settings as its clients use them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";
import { pauseFor, until } from "../kit/until.ts";
import { askAsOwner, freshGateway, talk } from "./kit.ts";

const token = "123456:token-of-the-draft";
const path = "/api/channels/draft";

const channelsIn = (gateway: RunningGateway) =>
  (JSON.parse(readFileSync(join(gateway.stateDir, "config.json"), "utf8")) as { channels: unknown }).channels;

async function follow(gateway: RunningGateway) {
  const events = await talk(gateway, "/api/events/live");
  expect(await events.frame()).toMatchObject({ type: "ready" });
  return events;
}

it("A4: a draft of telegram and a commit with an empty body: one change, the token persisted and never shown", async () => {
  const gateway = await freshGateway({ config: { channels: { telegram: { streaming: true } } } });
  const events = await follow(gateway);
  const draft = await askAsOwner(gateway, path, { body: { channel: "telegram", config: { enabled: true, token } } });
  expect([draft.status, draft.json()]).toMatchObject([
    200,
    {
      ok: true,
      channel: "telegram",
      persisted: { streaming: true },
      draft: { streaming: true, enabled: true },
      effective: { enabled: true },
      dirty: true,
    },
  ]);
  const told = await askAsOwner(gateway, path);
  const commit = await askAsOwner(gateway, `${path}/commit`, { method: "POST" });
  expect([commit.status, commit.json()]).toMatchObject([200, { ok: true, committed: true }]);
  expect(channelsIn(gateway)).toEqual({ telegram: { streaming: true, enabled: true, token } });
  await until(() => events.waiting.filter(({ type }) => type === "channel_draft_changed").length === 2);
  await pauseFor(300);
  const changes = events.waiting.filter(({ type }) => type === "config_changed");
  expect(changes).toMatchObject([{ source: "webui" }]);
  expect(events.waiting.filter(({ channel }) => channel === "telegram")).toHaveLength(2);
  const seen = [draft, told, commit, await askAsOwner(gateway, path), await askAsOwner(gateway, "/api/config")];
  for (const { text } of [...seen, { text: JSON.stringify(events.waiting) }]) expect(text).not.toContain(token);
  expect(seen[3]?.json()).toMatchObject({ channels: { telegram: { draft: null, dirty: false } } });
});

it("A5: a draft that enables weixin leaves the config as it is", async () => {
  const gateway = await freshGateway();
  const draft = await askAsOwner(gateway, path, { body: { channel: "weixin", config: { enabled: true } } });
  expect([draft.status, draft.json()]).toMatchObject([200, { draft: { enabled: true }, dirty: true }]);
  const told = (await askAsOwner(gateway, `${path}?channel=weixin`)).json();
  expect(told).toMatchObject({ ok: true, channel: "weixin", effective: { enabled: true }, dirty: true });
  expect(told).toHaveProperty("runtime_enabled", expect.any(Boolean));
  expect((told as { persisted: { enabled?: boolean } }).persisted.enabled ?? false).toBe(false);
  expect((await askAsOwner(gateway, `${path}?channel=weixin`, { method: "DELETE" })).json()).toEqual({
    ok: true,
    channel: "weixin",
    cleared: true,
  });
  expect((await askAsOwner(gateway, path, { method: "DELETE" })).json()).toEqual({ ok: true, cleared: "all" });
});

it("A6: a draft of weixin goes along with a saved config that says nothing of it", async () => {
  const gateway = await freshGateway();
  await askAsOwner(gateway, path, { body: { channel: "weixin", config: { enabled: true } } });
  expect((await askAsOwner(gateway, "/api/config", { body: { logging: { level: "debug" } } })).status).toBe(200);
  expect(channelsIn(gateway)).toEqual({ weixin: { enabled: true } });
  const told = (await askAsOwner(gateway, `${path}?channel=weixin`)).json();
  expect(told).toMatchObject({ draft: null, dirty: false, persisted: { enabled: true } });
});

it("what the saved config says itself wins (deliberate: ClawGo let the draft win)", async () => {
  const gateway = await freshGateway();
  await askAsOwner(gateway, path, { body: { channel: "telegram", config: { enabled: true, streaming: true } } });
  const body = { channels: { telegram: { enabled: false } } };
  expect((await askAsOwner(gateway, "/api/config", { body })).status).toBe(200);
  expect(channelsIn(gateway)).toEqual({ telegram: { enabled: false, streaming: true } });
});

it("refuses in ClawGo's words", async () => {
  const gateway = await freshGateway();
  const refusals = [
    [{ channel: "qq", config: {} }, "unsupported channel\n"],
    [{ channel: "telegram", config: [] }, "invalid telegram config: it must be an object\n"],
  ] as const;
  for (const [body, text] of refusals) {
    const answer = await askAsOwner(gateway, path, { body });
    expect([answer.status, answer.text]).toEqual([400, text]);
  }
  expect((await askAsOwner(gateway, `${path}?channel=qq`)).text).toBe("unsupported channel\n");
  expect((await askAsOwner(gateway, path, { method: "PUT", body: {} })).status).toBe(405);
});
