/** metrics: `GET /metrics` in Prometheus text, and the last minutes for charts. What this takes is loaded when it is first needed. */
import { type Context, definePlugin, gateway, need, plugins, Reply, Type } from "@chela/sdk";
import type { Recent } from "./recent.ts";
import type { Scrape } from "./scrape.ts";

const sampleEveryMs = 5_000;

const needs = { gateway: need(gateway, "^1.0.0"), plugins: need(plugins, "^1.0.0") };

type MetricsContext = Context<unknown, typeof needs>;

export default definePlugin({
  id: "metrics",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Figures for Prometheus on /metrics",
  config: Type.Object({}),
  needs,
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
    registerRecent(ctx);
  },
});

function registerRecent(ctx: MetricsContext): void {
  let recent: Recent | undefined;
  ctx.own("samples", () => recent?.close());
  ctx.every(sampleEveryMs, async () => {
    const { Recent } = await import("./recent.ts");
    if (ctx.stopping.aborted) return;
    recent ??= new Recent(() => ctx.use.gateway.stats());
    recent.take();
  });
  ctx.method({
    name: "metrics.recent",
    access: "read",
    about: "CPU, memory, event-loop lag, requests and sockets of the last 15 minutes",
    params: Type.Object({ since: Type.Optional(Type.Integer({ description: "Samples after it, ms since 1970" })) }),
    handler: ({ since }) => ({ every_ms: sampleEveryMs, samples: recent?.samples(since) ?? [] }),
  });
  ctx.method({
    name: "metrics.machine",
    access: "read",
    about: "The machine, its memory, load, and the disk of the state dir",
    params: Type.Object({}),
    handler: async () => (await import("./machine.ts")).machine(ctx.use.gateway.status().stateDir),
  });
}
