/** What the sentinel sees and tells, and what it keeps to itself. */
import { definePlugin, type Health } from "@chela/sdk";
import { expect, it } from "vitest";
import { pauseFor, until } from "../../kit/until.ts";
import { fine, ill, intervalSec, rig, webhook } from "./kit.ts";

const pulse = 'check "pulse" of patient';

it("tells the webhook, the log and the events once when a check fails, and once when it is well again", async () => {
  const hook = await webhook();
  const gateway = await rig({ webhook_url: hook.url });
  await gateway.look();
  gateway.pulse(ill("none for 30 s"));
  await gateway.look(3);
  gateway.pulse(fine);
  await gateway.look(3);
  const texts = [`sentinel: ${pulse} fails: none for 30 s`, `sentinel: ${pulse} is well again after 3 min`];
  const levels = ["warning", "info"];
  const told = texts.map((message, at) => ({ source: "sentinel", level: levels[at], message }));
  await until(() => hook.told().length === 2);
  expect(hook.told()).toEqual(told.map((one) => ({ ...one, timestamp: expect.any(String) as unknown })));
  for (const { timestamp } of hook.told()) {
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(60_000);
  }
  expect(hook.seen[0]).toMatchObject({
    method: "POST",
    path: "/hook?key=hunter2-in-the-query",
    headers: { "content-type": "application/json", "user-agent": "chela/1.0" },
  });
  expect(gateway.alerts()).toEqual(texts.map((message, at) => ({ level: levels[at], what: pulse, message })));
  const lines = gateway.host.logs().filter(({ msg }) => texts.includes(String(msg)));
  expect(lines.map(({ level }) => level)).toEqual(["WARN", "INFO"]);
});

it("C13: without a webhook it tells the log and the events, and nothing crashes", async () => {
  const gateway = await rig();
  gateway.pulse(() => {
    throw new Error("no pulse");
  });
  await gateway.look();
  expect(gateway.alerts()).toMatchObject([{ what: pulse, message: `sentinel: ${pulse} fails: no pulse` }]);
  expect(gateway.warnings()).toEqual([expect.stringContaining("no pulse")]);
  expect(await gateway.status()).toMatchObject({ webhook: false, waiting: 0, failing: [{ what: pulse }] });
});

it("tells of a plugin in quarantine, and when it runs again or is switched off", async () => {
  const flaky = definePlugin({
    id: "flaky",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      const handler = () => {
        throw new Error("on purpose");
      };
      ctx.route({ method: "GET", path: "/api/flaky", access: "read", handler });
    },
  });
  const gateway = await rig({}, [flaky]);
  const { host } = gateway;
  const state = () => host.plugins.list().find(({ id }) => id === "flaky")?.state;
  const breakIt = async () => {
    for (let time = 0; time < 2; time += 1) await host.request("/api/flaky");
    await until(() => state() === "quarantined");
    await gateway.look();
  };
  await breakIt();
  await host.plugins.release("flaky");
  await gateway.look(5);
  await breakIt();
  await host.plugins.disable("flaky", "test");
  await gateway.look();
  expect(gateway.alerts().map(({ message }) => message)).toEqual([
    expect.stringMatching(/^sentinel: plugin flaky is quarantined: 2 faults within 60 s.*chela plugins release flaky$/),
    "sentinel: plugin flaky is well again after 60 s",
    expect.stringMatching(/^sentinel: plugin flaky is quarantined: /),
    "sentinel: plugin flaky is not watched any more, after 60 s",
  ]);
});

it("tells of a plugin that could not start", async () => {
  const broken = definePlugin({
    id: "broken",
    version: "1.0.0",
    host: "^1.0.0",
    setup() {
      throw new Error("no such folder");
    },
  });
  const gateway = await rig({}, [broken]);
  await gateway.look();
  expect(gateway.alerts()).toMatchObject([
    { what: "plugin broken", message: expect.stringContaining("no such folder") },
  ]);
});

it("keeps to itself what fails at the first of two looks only", async () => {
  const gateway = await rig();
  const answers: Health[] = [ill("slow"), fine];
  gateway.pulse(() => answers.shift() ?? fine);
  await gateway.look(2);
  expect(answers).toEqual([]);
  expect(gateway.alerts()).toEqual([]);
});

it("tells of what goes up and down in pairs, five minutes apart", async () => {
  const gateway = await rig();
  for (let look = 0; look < 12; look += 1) {
    gateway.pulse(look % 2 === 0 ? ill(`down for the ${look}th time`) : fine);
    await gateway.look();
  }
  expect(gateway.alerts().map(({ level }) => level)).toEqual(["warning", "info", "warning", "info"]);
});

it("tells of another reason, five minutes later, and not of other figures", async () => {
  const gateway = await rig();
  for (let look = 0; look < 8; look += 1) {
    gateway.pulse(ill(look < 2 ? `weak: ${40 - look}` : `gone since ${look} min`));
    await gateway.look();
  }
  expect(gateway.alerts().map(({ message }) => message)).toEqual([
    `sentinel: ${pulse} fails: weak: 40`,
    `sentinel: ${pulse} fails: gone since 5 min`,
  ]);
  expect((await gateway.status()).failing).toMatchObject([{ what: pulse, reason: "fails: gone since 7 min" }]);
});

it("keeps a long reason short, and shows the facts of a check that gives none", async () => {
  const gateway = await rig();
  gateway.pulse(ill("long ".repeat(1_000)));
  await gateway.look();
  expect(String(gateway.alerts()[0]?.message).length).toBeLessThan(600);
  gateway.pulse({ ok: false, beats: 0 });
  await gateway.look(5);
  expect(gateway.alerts()[1]?.message).toBe(`sentinel: ${pulse} fails: {"beats":0}`);
});

it("applies its settings live; switched off it does nothing, and begins anew after that", async () => {
  const gateway = await rig({ interval_sec: 3_600 });
  gateway.pulse(ill("weak"));
  await gateway.pass(intervalSec);
  expect((await gateway.status()).lookedAt).toBeNull();
  expect(await gateway.set("sentinel.interval_sec", intervalSec)).toMatchObject({ restarted: [] });
  await gateway.look();
  expect(gateway.alerts()).toHaveLength(1);
  let asked = 0;
  gateway.pulse(() => {
    asked += 1;
    return ill("weak");
  });
  await gateway.set("sentinel.enabled", false);
  await gateway.pass(intervalSec * 2);
  expect(asked).toBe(0);
  expect(await gateway.status()).toMatchObject({ enabled: false, lookedAt: null, failing: [] });
  await gateway.set("sentinel.enabled", true);
  await gateway.look();
  expect(gateway.alerts()).toHaveLength(2);
});

it("looks once at a time, and holds up no stop", async () => {
  const gateway = await rig();
  let asked = 0;
  gateway.pulse(() => {
    asked += 1;
    return new Promise(() => undefined);
  });
  await gateway.pass(intervalSec * 3);
  await until(() => asked > 0);
  await pauseFor(100);
  expect(asked).toBe(1);
  const began = performance.now();
  await gateway.host.stop();
  expect(performance.now() - began).toBeLessThan(1_500);
  expect(gateway.warnings()).toEqual([]);
});
