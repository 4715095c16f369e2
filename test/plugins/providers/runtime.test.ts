/** What is remembered of providers: how much, for how long, over a restart, and with a file that somebody spoiled. */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { filesService } from "../../../kernel/services/files.ts";
import { Keep } from "../../../plugins/providers/runtime/keep.ts";
import { Ring } from "../../../plugins/providers/runtime/ring.ts";
import { runtimeQuery } from "../../../plugins/providers/runtime/view.ts";
import { readSettings } from "../../../plugins/providers/settings.ts";
import { Upstreams } from "../../../plugins/providers/upstreams.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { ask, fails, hear, makeUpstreams, never, section, upstream } from "./kit.ts";

interface Item {
  readonly recent_hits: readonly unknown[] | null;
  readonly candidate_order: readonly unknown[];
}

test("a ring keeps the newest, newest first, and may be resized", () => {
  const ring = new Ring<number>(3);
  expect(ring.list()).toEqual([]);
  for (const number of [1, 2, 3, 4, 5]) ring.add(number);
  expect(ring.list()).toEqual([5, 4, 3]);
  ring.resize(2);
  ring.add(6);
  expect(ring.list()).toEqual([6, 5]);
  ring.resize(4);
  ring.add(7);
  expect(ring.list()).toEqual([7, 6, 5]);
  ring.clear();
  expect([ring.list(), ring.newest]).toEqual([[], undefined]);
});

test("runtime_history_max bounds each list, and is hot", async () => {
  const server = await upstream();
  const sim = { api_base: server.base, api_key: "sk", models: ["echo"], runtime_history_max: 3 };
  const upstreams = makeUpstreams({ sim });
  const hits = () =>
    (upstreams.runtime.items(runtimeQuery({ limit: "100" })) as unknown as Item[])[0]?.recent_hits?.length;
  for (let index = 0; index < 5; index += 1) await hear(upstreams.stream(ask("sim/echo"), never));
  expect(hits()).toBe(3);
  upstreams.apply(readSettings(section({ sim: { ...sim, runtime_history_max: 2 } })));
  expect(hits()).toBe(2);
});

/** Upstreams over the same folder, one after the other, as restarts are. */
function lives(folder: string, base: string, more: Record<string, unknown> = {}) {
  const warned: string[] = [];
  const clock = { now: 0, wall: 1_700_000_000_000 };
  const sim = {
    api_base: base,
    api_key: "sk-key-123456",
    models: ["echo", "rate", "auth"],
    runtime_persist: true,
    ...more,
  };
  const start = () =>
    new Upstreams(readSettings(section({ sim })), {
      log: { warn: (...args: unknown[]) => void warned.push(JSON.stringify(args)), debug: () => undefined },
      now: () => clock.now,
      wall: () => clock.wall,
      keep: { folder: () => folder, files: filesService },
    });
  return { start, warned, clock };
}

test("rests, health and events survive a restart; what is over by then does not come back", async () => {
  const server = await upstream();
  const { start, clock } = lives(tempDir("runtime"), server.base);
  const first = start();
  await fails(first.stream(ask("sim/rate"), never));
  await fails(first.stream(ask("sim/auth"), never));
  await first.close();
  // Another process: its own monotonic clock, and 3 of the 7 seconds are over.
  clock.now = 5_000_000;
  clock.wall += 3000;
  const second = start();
  await second.runtime.ready;
  expect(second.status().cooling).toMatchObject([
    { model: "sim/rate", reason: "rate_limit", seconds: 4 },
    { credential: "sk-k***3456", reason: "unauthorized", seconds: null },
  ]);
  expect(second.runtime.summary("sim").providers).toMatchObject([
    { status: "critical", api_state: { health_score: 50, failure_count: 2 }, last_error_reason: "unauthorized" },
  ]);
  second.runtime.clearAll("sim");
  await second.close();
  const third = start();
  await third.runtime.ready;
  expect(third.status().cooling).toEqual([]);
  await third.close();
});

test("a clock that was a year ahead and is set right makes no rest longer than it was", async () => {
  const server = await upstream();
  const { start, clock } = lives(tempDir("runtime"), server.base);
  const first = start();
  await fails(first.stream(ask("sim/rate"), never));
  await first.close();
  clock.wall -= 365 * 86_400_000;
  const second = start();
  onTestFinished(() => second.close());
  await second.runtime.ready;
  expect(second.status().cooling).toMatchObject([{ model: "sim/rate", seconds: 7 }]);
});

test("another key starts afresh, whatever is kept of the one before", async () => {
  const server = await upstream();
  const folder = tempDir("runtime");
  const first = lives(folder, server.base).start();
  await fails(first.stream(ask("sim/auth"), never));
  await first.close();
  const second = lives(folder, server.base, { api_key: "sk-other-99999" }).start();
  await second.runtime.ready;
  await hear(second.stream(ask("sim/echo"), never));
  expect(second.runtime.summary("sim").providers).toMatchObject([{ api_state: { health_score: 100 } }]);
  expect(second.status().cooling).toEqual([]);
  await second.close();
});

test.each([
  "",
  "nonsense",
  "[]",
  "7",
  '{"recent_hits":7,"standings":[null,{"id":3}],"windows":[{"key":"x"},{"until":1}]}',
])("a kept file that holds %j harms nobody", async (text) => {
  const server = await upstream();
  const folder = tempDir("runtime");
  const { start } = lives(folder, server.base);
  const first = start();
  await hear(first.stream(ask("sim/echo"), never));
  await first.close();
  writeFileSync(join(folder, "runtime", "sim.json"), text);
  const second = start();
  onTestFinished(() => second.close());
  await second.runtime.ready;
  expect((await hear(second.stream(ask("sim/echo"), never))).text).toBe("echo: hello there");
  expect(second.runtime.items(runtimeQuery({}))).toMatchObject([
    { name: "sim", candidate_order: [{ health_score: 100 }] },
  ]);
});

test("many changes are one write a moment later, in a file for its owner alone", async () => {
  const folder = tempDir("keep");
  let snapshots = 0;
  const snapshot = () => ({ count: ++snapshots });
  const keep = new Keep({
    folder: () => folder,
    files: filesService,
    snapshot,
    log: { warn: () => undefined },
    delayMs: 20,
  });
  for (let index = 0; index < 1000; index += 1) keep.touch("sim");
  expect(snapshots).toBe(0);
  const file = join(folder, "runtime", "sim.json");
  await until(
    () => readdirSync(folder).length > 0 && readdirSync(join(folder, "runtime")).includes("sim.json"),
    5000,
    "the file",
  );
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ count: 1 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await keep.remove("sim");
  expect(readdirSync(join(folder, "runtime"))).toEqual([]);
  expect(await keep.load("sim")).toBeUndefined();
});

test("a folder that cannot be written is told, and costs no request anything", async () => {
  const server = await upstream();
  const folder = tempDir("keep");
  writeFileSync(join(folder, "runtime"), "a file where the folder should be");
  const { start, warned } = lives(folder, server.base);
  const upstreams = start();
  expect((await hear(upstreams.stream(ask("sim/echo"), never))).text).toBe("echo: hello there");
  await upstreams.close();
  expect(warned.join()).toContain("cannot be written");
});

test("who follows the rests is told when they begin, are ended and are over, and once where many change together", async () => {
  const server = await upstream();
  const told: string[] = [];
  const clock = { now: 1_000_000 };
  const sim = { api_base: server.base, api_key: "sk-key-123456", models: ["rate", "brief", "auth"] };
  const upstreams = makeUpstreams({ sim }, { now: () => clock.now, onRests: (provider) => void told.push(provider) });
  server.script("brief", { status: 429, headers: { "retry-after": "1" } });
  for (const model of ["sim/rate", "sim/brief", "sim/auth"]) await fails(upstreams.stream(ask(model), never));
  expect(upstreams.status().cooling).toHaveLength(3);
  const more = async (what: string) => {
    const before = told.length;
    await until(() => told.length > before, 4000, what);
  };
  await more("the news that they rest");
  clock.now += 1000;
  await more("the news that one is over");
  const before = told.length;
  upstreams.runtime.clearAll("sim");
  await more("the news that the others were ended");
  expect(told.slice(before)).toEqual(["sim"]);
});
