/** What the sentinel keeps of what it saw: the history of health, and incidents; over restarts, with a store and without. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Plugin, store as storeService } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import store from "../../../plugins/store/index.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { fine, ill, type Rig, rig } from "./kit.ts";

interface Bucket {
  readonly at: number;
  readonly status: string | null;
  readonly rows: number;
  readonly ms: number | null;
  readonly failing: readonly string[];
}

interface History {
  readonly from: number;
  readonly until: number;
  readonly every_ms: number;
  readonly buckets: readonly Bucket[];
}

type Incidents = { readonly incidents: readonly Record<string, unknown>[] };

const hourMs = 3_600_000;
const pulse = 'check "pulse" of patient';
const settings = { interval_sec: 60 };

const history = (gateway: Rig, asked?: unknown) => gateway.call<History>("sentinel.history", asked ?? {});
const incidents = async (gateway: Rig, asked?: unknown) =>
  (await gateway.call<Incidents>("sentinel.incidents", asked ?? {})).incidents;
const seen = ({ buckets }: History) => buckets.filter(({ status }) => status !== null);
const rowsIn = (shown: History) => seen(shown).reduce((sum, { rows }) => sum + rows, 0);

async function written(gateway: Rig): Promise<number> {
  const sql = "SELECT COUNT(*) AS count FROM health_checks";
  return Number((await gateway.host.service(storeService).get<{ count: number }>(sql))?.count);
}

describe.each<[string, readonly Plugin[]]>([
  ["with a store", [store]],
  ["without a store", []],
])("%s", (_, plugins) => {
  it("each look is in the history, in its part of the day with the worst of it; where nobody looked there is nothing", async () => {
    const gateway = await rig(settings, plugins);
    expect(seen(await history(gateway))).toEqual([]);
    await gateway.look(2);
    gateway.pulse(ill("weak"));
    await gateway.look(2);
    const shown = await history(gateway);
    expect(shown).toMatchObject({ every_ms: hourMs / 4, from: shown.until - 24 * hourMs });
    expect(shown.buckets.map(({ at }) => at)).toEqual(
      shown.buckets.map((__, index) => shown.from + (index * hourMs) / 4),
    );
    expect(rowsIn(shown)).toBe(4);
    expect(seen(shown).at(-1)).toMatchObject({
      status: "degraded",
      failing: [pulse],
      ms: expect.any(Number) as unknown,
    });
    const fine = await history(gateway, { hours: 1, points: 3_600 / 4 });
    expect([fine.every_ms, fine.buckets.length, rowsIn(fine)]).toEqual([4_000, 900, 4]);
  });

  it("an incident lasts from the look that finds it to the one that finds it well", async () => {
    const gateway = await rig(settings, plugins);
    gateway.pulse(ill("none for 30 s"));
    await gateway.look(2);
    const open = await incidents(gateway);
    expect(open).toEqual([
      {
        id: expect.any(String) as unknown,
        check: "pulse",
        plugin: "patient",
        message: "fails: none for 30 s",
        started: expect.any(Number) as unknown,
        ended: null,
        outcome: null,
        alerts: 1,
      },
    ]);
    gateway.pulse(fine);
    await gateway.look();
    const [over] = await incidents(gateway);
    expect(over).toEqual({ ...open[0], ended: expect.any(Number) as unknown, outcome: "recovered", alerts: 2 });
    expect(Number(over?.ended)).toBeGreaterThan(Number(over?.started));
    gateway.pulse(ill("gone"));
    await gateway.look();
    await gateway.set("sentinel.enabled", false);
    await gateway.pass(1);
    expect(await incidents(gateway)).toMatchObject([
      { message: "fails: gone", outcome: "unwatched" },
      { id: over?.id },
    ]);
    expect(await incidents(gateway, { limit: 1 })).toHaveLength(1);
    const { alerts: _, ...told } = over ?? {};
    expect(gateway.incidents()).toMatchObject([
      { ...told, ended: null, outcome: null },
      told,
      { message: "fails: gone", ended: null },
      { message: "fails: gone", outcome: "unwatched" },
    ]);
  });
});

it("an incident that a process left open is interrupted at the next start, when that process last looked", async () => {
  const stateDir = tempDir("sentinel");
  const first = await rig(settings, [store], stateDir);
  first.pulse(ill("weak"));
  await first.look(2);
  await until(async () => (await written(first)) === 2);
  const [open] = await incidents(first);
  const lookedAt = (await first.status()).lookedAt;
  await first.host.stop();
  rmSync(join(stateDir, "gateway.json"));
  const second = await rig(settings, [store], stateDir);
  expect(await incidents(second)).toEqual([{ ...open, ended: lookedAt, outcome: "interrupted" }]);
  expect(rowsIn(await history(second))).toBe(2);
  second.pulse(ill("weak"));
  await second.look();
  expect(await incidents(second)).toMatchObject([{ ended: null }, { id: open?.id, outcome: "interrupted" }]);
});

it("looks that come every second leave a row of each status in ten seconds, no more", async () => {
  const gateway = await rig({ interval_sec: 1 }, [store]);
  const looks = async (times: number) => {
    for (let look = 0; look < times; look += 1) {
      const before = (await gateway.status()).lookedAt ?? 0;
      await until(() => Date.now() > before);
      await gateway.pass(1);
      await until(async () => ((await gateway.status()).lookedAt ?? 0) > before);
    }
  };
  await looks(25);
  gateway.pulse(ill("weak"));
  await looks(3);
  const shown = seen(await history(gateway));
  expect(shown.reduce((sum, { rows }) => sum + rows, 0)).toBe(4);
  expect(shown.at(-1)).toMatchObject({ status: "degraded", failing: [pulse] });
});

it("keeps rows for a week and incidents for a month", async () => {
  const gateway = await rig(settings, [store]);
  await gateway.call("sentinel.history");
  const database = gateway.host.service(storeService);
  const now = Date.now();
  for (const hours of [3, 100, 8 * 24])
    await database.run(
      "INSERT INTO health_checks (at, status, response_time_ms, cpu, mem, error) VALUES (?, 'down', 7, 0.5, 1000, 'plugin keys')",
      now - hours * hourMs,
    );
  for (const days of [29, 31])
    await database.run(
      "INSERT INTO incidents (id, check_name, plugin, message, started, ended, outcome, alerts) VALUES (?, NULL, 'keys', 'has failed', ?, ?, 'recovered', 2)",
      `${days}`,
      now - days * 24 * hourMs,
      now - days * 24 * hourMs + 1_000,
    );
  await gateway.look();
  await until(async () => (await written(gateway)) === 3);
  const day = seen(await history(gateway));
  expect(day).toMatchObject([
    { status: "down", rows: 1, ms: 7, cpu: 0.5, mem: 1_000, failing: ["plugin keys"] },
    { status: "ok" },
  ]);
  expect(seen(await history(gateway, { hours: 168, points: 168 }))).toHaveLength(3);
  await until(async () => (await incidents(gateway)).length === 1);
  expect(await incidents(gateway)).toMatchObject([{ id: "29", check: null, plugin: "keys" }]);
});

it("what was seen while no store was there is written when one comes", async () => {
  const gateway = await rig(settings, [store]);
  await gateway.look();
  await gateway.host.plugins.disable("store", "test");
  gateway.pulse(ill("weak"));
  await gateway.look(2);
  expect([rowsIn(await history(gateway)), (await incidents(gateway)).length]).toEqual([2, 1]);
  await gateway.host.plugins.enable("store", "test");
  await gateway.look();
  await until(async () => (await written(gateway)) === 4);
  expect([rowsIn(await history(gateway)), (await incidents(gateway)).length]).toEqual([4, 1]);
  expect(gateway.warnings().filter((line) => line.includes("history"))).toEqual([]);
});
