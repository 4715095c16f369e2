/** metrics: `GET /metrics` in Prometheus text. Reads the gateway's own figures; prom-client is loaded with the first scrape. */
import { definePlugin, gateway, need, plugins, Reply, Type } from "@chela/sdk";
import { createExposition, type Exposition } from "./exposition.ts";
import { Lag } from "./lag.ts";

export default definePlugin({
  id: "metrics",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Figures for Prometheus on /metrics",
  config: Type.Object({}),
  needs: { gateway: need(gateway, "^1.0.0"), plugins: need(plugins, "^1.0.0") },
  setup(ctx) {
    const { gateway: host, plugins: rows } = ctx.use;
    const lag = new Lag();
    let exposition: Promise<Exposition> | undefined;
    ctx.own("event loop sampler", () => lag.close());
    ctx.route({
      method: "GET",
      path: "/metrics",
      access: "read",
      about: "Figures in Prometheus text.",
      async handler() {
        exposition ??= createExposition();
        const { contentType, text } = await exposition;
        const body = await text({ gateway: host, plugins: rows, stats: host.stats(), lag: lag.take() });
        return new Reply(body, { headers: { "content-type": contentType } });
      },
    });
  },
});
