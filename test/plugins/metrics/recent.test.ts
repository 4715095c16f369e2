/** What the charts of the dashboard are drawn from. Time is counted by hand. */
import { definePlugin, type GatewayStats } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import metrics from "../../../plugins/metrics/index.ts";
import { Recent } from "../../../plugins/metrics/recent.ts";
import { until } from "../../kit/until.ts";

interface Sample {
  readonly at: number;
  readonly [figure: string]: number;
}

const faulty = definePlugin({
  id: "faulty",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    const handler = () => {
      throw new Error("boom");
    };
    ctx.route({ method: "GET", path: "/boom", access: "read", handler });
  },
});

async function rig() {
  const config = { plugins: { quarantine: { faults: 100 } } };
  const host = await startHost({ plugins: [apiConfig, metrics, faulty], config, clock: "fake" });
  onTestFinished(() => host.stop());
  const call = async <T>(method: string, params: unknown = {}) =>
    ((await host.request("/api/call", { body: { method, params } })).json() as { result: T }).result;
  const recent = (params?: unknown) => call<{ every_ms: number; samples: Sample[] }>("metrics.recent", params);
  const pass = async (samples: number) => {
    for (let tick = 0; tick < samples; tick += 1) {
      host.clock.tick(5_000);
      await host.request("/ready");
    }
  };
  return { host, call, recent, pass };
}

test("a sample every five seconds tells what happened since the one before", async () => {
  const { host, recent, pass } = await rig();
  expect(await recent()).toEqual({ every_ms: 5_000, samples: [] });
  // The first look loads what it takes and begins to count.
  await until(async () => {
    await pass(1);
    return (await recent()).samples.length > 0;
  });
  const socket = await host.connect("/api/events/live");
  for (let i = 0; i < 3; i += 1) await host.request("/boom");
  const [last] = (await recent()).samples.slice(-1);
  await until(() => Date.now() > (last as Sample).at);
  await pass(1);
  const { samples } = await recent({ since: last?.at });
  expect(samples).toHaveLength(1);
  const { at, cpu, rss, heap, lag_p99_ms, lag_max_ms, requests, errors, sockets } = samples[0] as Sample;
  expect(Math.abs(Number(at) - Date.now())).toBeLessThan(5_000);
  expect(errors).toBeGreaterThan(0);
  expect(requests).toBeGreaterThan(errors as number);
  expect([sockets, Number(cpu) > 0, Number(rss) > Number(heap), Number(heap) > 0]).toEqual([1, true, true, true]);
  expect(Number(lag_max_ms)).toBeGreaterThanOrEqual(Number(lag_p99_ms));
  socket.close();
});

test("keeps a quarter of an hour, and leaves nothing behind", async () => {
  const { host, recent, pass } = await rig();
  const before = host.census();
  await until(async () => {
    await pass(1);
    return (await recent()).samples.length > 0;
  });
  await pass(200);
  expect((await recent()).samples).toHaveLength(180);
  await host.plugins.reload("metrics");
  expect((await recent()).samples).toEqual([]);
  expect(host.census()).toEqual(before);
});

test("goes on where the clock was set back, for who asks for what is new, too", () => {
  const recent = new Recent(() => ({ routes: [], sockets: [] }) as unknown as GatewayStats);
  const clock = vi.spyOn(Date, "now");
  onTestFinished(() => {
    clock.mockRestore();
    recent.close();
  });
  const take = (...times: number[]) => {
    for (const at of times) {
      clock.mockReturnValue(at);
      recent.take();
    }
  };
  const times = (since?: number) => recent.samples(since).map(({ at }) => at);
  take(0, 50_000, 55_000, 60_000);
  expect([times(), times(55_000), times(60_000)]).toEqual([[50_000, 55_000, 60_000], [60_000], []]);
  take(52_000);
  expect([times(60_000), times(52_000)]).toEqual([[50_000, 52_000], []]);
});

test("tells what the gateway runs on", async () => {
  const { host, call } = await rig();
  const facts = await call<Record<string, Record<string, number>>>("metrics.machine");
  expect(facts).toMatchObject({ arch: process.arch, node: process.versions.node, disk: { path: host.stateDir } });
  expect(facts).toMatchObject({
    hostname: expect.any(String) as unknown,
    load: [0, 0, 0].map(() => expect.any(Number)),
  });
  for (const place of ["memory", "disk"]) {
    const { total = 0, free = 0 } = facts[place] ?? {};
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(free);
  }
});
