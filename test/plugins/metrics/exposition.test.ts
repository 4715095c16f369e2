import type { Gateway, GatewayStats, Plugins } from "@chela/sdk";
import { describe, expect, onTestFinished, test } from "vitest";
import { createExposition } from "../../../plugins/metrics/exposition.ts";
import { Lag } from "../../../plugins/metrics/lag.ts";
import { until } from "../../kit/until.ts";

const stats: GatewayStats = {
  buckets: [0.1, 1],
  routes: [{ method: "GET", route: '/a/:id"\\', status: 200, count: 3, seconds: 1.5, buckets: [1, 2] }],
  hooks: [{ plugin: "keys", hook: "auth:identify", calls: 7, errors: 1, seconds: 0.25 }],
  reloads: [{ result: "ok", count: 2 }],
  faults: [{ plugin: "bad", count: 4 }],
  sockets: [{ stream: "/api/events/live", open: 5 }],
};
const gateway = {
  status: () => ({ ready: true, generation: 9, uptimeMs: 1500, version: "1.0.0", node: "v20" }),
  startup: () => [{ id: "keys", ms: 12, rssDelta: 0, state: "running" }],
} as unknown as Gateway;
const plugins = { list: () => [{ id: "keys", version: "1.0.0", state: "running" }] } as unknown as Plugins;
const lag = { mean: 0.001, p50: 0.001, p99: 0.002, max: 0.003 };

describe("the exposition", () => {
  test("says each figure once, in Prometheus text", async () => {
    const { contentType, text } = await createExposition();
    const lines = (await text({ gateway, plugins, stats, lag })).split("\n");
    expect(contentType).toContain("text/plain; version=0.0.4");
    const route = 'method="GET",route="/a/:id\\"\\\\",status="200"';
    for (const line of [
      `chela_http_requests_total{${route}} 3`,
      "# TYPE chela_http_request_duration_seconds histogram",
      `chela_http_request_duration_seconds_bucket{${route},le="0.1"} 1`,
      `chela_http_request_duration_seconds_bucket{${route},le="1"} 2`,
      `chela_http_request_duration_seconds_bucket{${route},le="+Inf"} 3`,
      `chela_http_request_duration_seconds_sum{${route}} 1.5`,
      `chela_http_request_duration_seconds_count{${route}} 3`,
      'chela_hook_calls_total{plugin="keys",hook="auth:identify"} 7',
      'chela_hook_errors_total{plugin="keys",hook="auth:identify"} 1',
      'chela_hook_seconds_total{plugin="keys",hook="auth:identify"} 0.25',
      'chela_plugin_faults_total{plugin="bad"} 4',
      'chela_plugin_state{plugin="keys",state="running",version="1.0.0"} 1',
      'chela_plugin_start_seconds{plugin="keys"} 0.012',
      'chela_reloads_total{result="ok"} 2',
      'chela_sockets{stream="/api/events/live"} 5',
      'chela_event_loop_lag_seconds{stat="p99"} 0.002',
      "chela_ready 1",
      "chela_generation 9",
      "chela_uptime_seconds 1.5",
      'chela_build_info{version="1.0.0",node="v20"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
    expect(new Set(names).size).toBe(names.length);
    expect(
      Number(lines.find((line) => line.startsWith("process_resident_memory_bytes"))?.split(" ")[1]),
    ).toBeGreaterThan(1e6);
  });

  test("of two gateways share nothing", async () => {
    const [a, b] = await Promise.all([createExposition(), createExposition()]);
    const quiet = { ...stats, faults: [] };
    expect(await a.text({ gateway, plugins, stats, lag })).toContain('chela_plugin_faults_total{plugin="bad"}');
    expect(await b.text({ gateway, plugins, stats: quiet, lag })).not.toContain("bad");
  });
});

test("the lag is measured from the first look on, starts over with each, and is next to nothing where nothing blocks", async () => {
  const everyMs = 50;
  const sampler = new Lag(everyMs);
  onTestFinished(() => sampler.close());
  expect(sampler.take()).toEqual({ mean: 0, p50: 0, p99: 0, max: 0 });
  const passed = async (ms: number) => {
    const began = performance.now();
    await until(() => performance.now() - began > ms);
  };
  await until(async () => {
    await passed(8 * everyMs);
    const { p50, max } = sampler.take();
    return max > 0 && p50 * 1_000 < everyMs / 2;
  });
  await until(async () => {
    await passed(3 * everyMs);
    const began = performance.now();
    while (performance.now() - began < 5 * everyMs);
    await passed(2 * everyMs);
    return sampler.take().max * 1_000 > 3 * everyMs;
  });
  sampler.close();
  sampler.close();
  expect(sampler.take().max).toBe(0);
});
