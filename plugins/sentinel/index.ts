/** sentinel: looks at the gateway's own health in an interval and tells when something fails. What does it is loaded with the first look. */
import { type Context, definePlugin, gateway, need, plugins, store, Type } from "@chela/sdk";
import type { Sentinel } from "./sentinel.ts";
import { SentinelSection, type SentinelSettings } from "./settings.ts";

const needs = {
  gateway: need(gateway, "^1.0.0"),
  plugins: need(plugins, "^1.0.0"),
  store: need(store, "^1.0.0", { optional: true }),
};

export type SentinelContext = Context<SentinelSettings, typeof needs>;

const second = 1_000;
const time = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });

const Status = Type.Object({
  enabled: Type.Boolean(),
  lookedAt: time("The last look at the checks, milliseconds since 1970; null before the first"),
  failing: Type.Array(
    Type.Object({
      what: Type.String(),
      reason: Type.String(),
      since: Type.Integer({ description: "Milliseconds since 1970" }),
    }),
  ),
  webhook: Type.Boolean({ description: "Whether an address is set" }),
  answeredAt: time("When the webhook last took a message"),
  waiting: Type.Integer({ description: "Messages that wait for the webhook" }),
  trouble: Type.String({ description: "Why it took the last one not; empty when it did" }),
});

const Tested = Type.Object({
  ok: Type.Boolean(),
  status: Type.Union([Type.Integer(), Type.Null()]),
  ms: Type.Union([Type.Integer(), Type.Null()]),
  reason: Type.String(),
});

export default definePlugin({
  id: "sentinel",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Watches the gateway's own health, and tells a webhook when something fails",
  section: "sentinel",
  config: SentinelSection,
  hot: ["*"],
  needs,
  setup(ctx) {
    let sentinel: Sentinel | undefined;
    const load = async () => {
      const { Sentinel } = await import("./sentinel.ts");
      sentinel ??= new Sentinel(ctx);
      return sentinel;
    };
    runInIntervals(ctx, load, () => sentinel?.rest());
    ctx.method({
      name: "sentinel.status",
      access: "read",
      about: "What fails now, and how the webhook does.",
      params: Type.Object({}),
      result: Status,
      handler: () => {
        const { enabled, webhook_url } = ctx.config;
        const nothing = { lookedAt: null, failing: [], answeredAt: null, waiting: 0, trouble: "" };
        return { enabled, webhook: webhook_url !== "", ...(sentinel?.status() ?? nothing) };
      },
    });
    ctx.method({
      name: "sentinel.test",
      access: "admin",
      about: "Sends the webhook a test message, at level info.",
      params: Type.Object({}),
      result: Tested,
      handler: async () => (await load()).test(),
    });
    registerRecords(ctx, load);
  },
});

function registerRecords(ctx: SentinelContext, load: () => Promise<Sentinel>): void {
  const count = (maximum: number, fallback: number, description: string) =>
    Type.Integer({ minimum: 1, maximum, default: fallback, description });
  ctx.method({
    name: "sentinel.history",
    access: "read",
    about: "How healthy the gateway was: the last hours in equal parts, each with the worst that was seen in it.",
    params: Type.Object({ hours: count(168, 24, "How far back"), points: count(1_000, 96, "Parts of that time") }),
    handler: async (asked) => (await load()).history(asked),
  });
  ctx.method({
    name: "sentinel.incidents",
    access: "read",
    about: "What failed in the last 30 days, from when to when; the newest first.",
    params: Type.Object({ limit: count(500, 20, "Incidents at most") }),
    handler: async ({ limit }) => (await load()).incidents(limit),
  });
}

/** Counted in seconds, so that a new interval counts from the last look. No stop waits for a look. */
function runInIntervals(ctx: SentinelContext, load: () => Promise<Sentinel>, rest: () => void): void {
  let seconds = 0;
  let lookedAt = 0;
  const run = async (now: number) => {
    try {
      await (await load()).run(now);
    } catch (error) {
      if (!ctx.stopping.aborted) ctx.log.error({ error }, "the health checks could not be looked at");
    }
  };
  ctx.every(second, () => {
    seconds += 1;
    if (!ctx.config.enabled) return rest();
    if (seconds - lookedAt < ctx.config.interval_sec) return;
    lookedAt = seconds;
    void run(seconds);
  });
}
