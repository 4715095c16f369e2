import { definePlugin } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import metrics from "../../../plugins/metrics/index.ts";

const faulty = definePlugin({
  id: "faulty",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({
      method: "GET",
      path: "/boom",
      access: "read",
      handler: () => {
        throw new Error("boom");
      },
    });
  },
});

test("a scrape tells what happened, by route, plugin and stream", async () => {
  const host = await startHost({ plugins: [apiConfig, keys, metrics, faulty], config: {} });
  onTestFinished(() => host.stop());
  for (let i = 0; i < 3; i += 1) await host.request("/api/version");
  await host.request("/boom");
  const socket = await host.connect("/api/events/live");
  await host.request("/api/config", { body: { own: 1 } });
  const reply = await host.request("/metrics");
  expect(reply.status).toBe(200);
  expect(reply.headers["content-type"]).toContain("text/plain; version=0.0.4");
  const lines = reply.text.split("\n");
  for (const line of [
    'chela_http_requests_total{method="GET",route="/api/version",status="200"} 3',
    'chela_http_request_duration_seconds_count{method="GET",route="/api/version",status="200"} 3',
    'chela_http_request_duration_seconds_bucket{method="GET",route="/api/version",status="200",le="+Inf"} 3',
    'chela_http_requests_total{method="GET",route="/boom",status="500"} 1',
    'chela_plugin_faults_total{plugin="faulty"} 1',
    'chela_plugin_state{plugin="keys",state="running",version="1.0.0"} 1',
    'chela_sockets{stream="/api/events/live"} 1',
    "chela_ready 1",
  ]) {
    expect(lines).toContain(line);
  }
  expect(reply.text).toMatch(/^chela_hook_calls_total\{plugin="keys",hook="auth:identify"\} \d+$/m);
  expect(reply.text).toMatch(/^chela_reloads_total\{result="ok"\} [1-9]/m);
  socket.close();
});

test("needs a credential, counts strangers' paths under one name, and leaves nothing behind", async () => {
  const host = await startHost({ plugins: [apiConfig, metrics], config: {} });
  onTestFinished(() => host.stop());
  expect((await host.request("/metrics", { token: null })).status).toBe(401);
  for (let i = 0; i < 20; i += 1) await host.request(`/nothing/${i}`);
  expect((await host.request("/metrics")).text).not.toContain("/nothing/");
  const before = host.census();
  for (let i = 0; i < 3; i += 1) {
    await host.plugins.reload("metrics");
    expect((await host.request("/metrics")).status).toBe(200);
  }
  expect(host.census()).toEqual(before);
});
