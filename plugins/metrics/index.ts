/** metrics: `GET /metrics` in Prometheus text. Reads the gateway's own figures; all that this takes is loaded with the first scrape. */
import { definePlugin, gateway, need, plugins, Reply, Type } from "@chela/sdk";
import type { Scrape } from "./scrape.ts";

export default definePlugin({
  id: "metrics",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Figures for Prometheus on /metrics",
  config: Type.Object({}),
  needs: { gateway: need(gateway, "^1.0.0"), plugins: need(plugins, "^1.0.0") },
  setup(ctx) {
    let scrape: Promise<Scrape> | undefined;
    const open = async () => (await import("./scrape.ts")).openScrape(ctx.use.gateway, ctx.use.plugins);
    ctx.own("event loop sampler", async () => (await scrape?.catch(() => undefined))?.close());
    ctx.route({
      method: "GET",
      path: "/metrics",
      access: "read",
      about: "Figures in Prometheus text.",
      async handler() {
        scrape ??= open();
        const { contentType, text } = await scrape;
        const body = await text();
        return new Reply(body, { headers: { "content-type": contentType } });
      },
    });
  },
});
