/** A host with the sentinel, one plugin whose health the test decides, and a webhook on loopback. Time is counted by hand. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { definePlugin, type Events, events, type GatewayEvent, type Health, type Plugin } from "@chela/sdk";
import type { Status } from "../../../kernel/cli/sentinel.ts";
import api from "../../../plugins/api-config/index.ts";
import sentinel from "../../../plugins/sentinel/index.ts";
import { httpServer, type TestServer } from "../../kit/http-server.ts";
import { type Live, liveHost } from "../../kit/live.ts";
import { until } from "../../kit/until.ts";

export type { Status };

export interface Told {
  readonly source: string;
  readonly level: string;
  readonly message: string;
  readonly timestamp: string;
}

export interface Rig extends Live {
  /** What the check "pulse" of the plugin "patient" says from now on; a function is asked at each look. */
  pulse(says: Health | (() => Health | Promise<Health>)): void;
  call<T>(method: string, params?: unknown): Promise<T>;
  status(): Promise<Status>;
  set(path: string, value: unknown): Promise<unknown>;
  /** Lets seconds go by, without waiting for what they bring. */
  pass(seconds: number): Promise<void>;
  /** Lets an interval go by, and waits until the look is over. */
  look(times?: number): Promise<void>;
  /** The alerts so far, as events. */
  alerts(): readonly GatewayEvent["payload"][];
  /** What was told of incidents, as events. */
  incidents(): readonly GatewayEvent["payload"][];
  /** Log lines of the sentinel, at warning and above. */
  warnings(): readonly string[];
}

export const intervalSec = 60;
export const fine: Health = { ok: true };
export const ill = (reason: string): Health => ({ ok: false, reason });

export async function rig(
  settings: Record<string, unknown> = {},
  plugins: readonly Plugin[] = [],
  stateDir?: string,
): Promise<Rig> {
  let says: Health | (() => Health | Promise<Health>) = fine;
  const patient = definePlugin({
    id: "patient",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => ctx.health("pulse", () => (typeof says === "function" ? says() : says)),
  });
  const config = { sentinel: settings, plugins: { quarantine: { faults: 2 } } };
  const live = await liveHost({ plugins: [api, sentinel, patient, ...plugins], config, clock: "fake", stateDir });
  const { host } = live;
  const call = async <T>(method: string, params?: unknown) => {
    const reply = (await host.request("/api/call", { body: { method, params } })).json() as { result: T };
    return reply.result;
  };
  const status = () => call<Status>("sentinel.status");
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      host.clock.tick(1_000);
      await turn();
    }
  };
  return {
    ...live,
    pulse: (next) => {
      says = next;
    },
    call,
    status,
    set: (path, value) => host.config.write([{ path, value }], { who: "test" }),
    pass,
    async look(times = 1) {
      for (let look = 0; look < times; look += 1) {
        const before = (await status()).lookedAt ?? 0;
        await until(() => Date.now() > before);
        await pass(intervalSec);
        await until(async () => ((await status()).lookedAt ?? 0) > before, 10_000, "a look");
      }
    },
    alerts: () => payloads(host.service(events), "sentinel_alert"),
    incidents: () => payloads(host.service(events), "sentinel_incident"),
    warnings: () =>
      host
        .logs()
        .filter(({ plugin, level }) => plugin === "sentinel" && level !== "INFO" && level !== "DEBUG")
        .map((line) => JSON.stringify(line)),
  };
}

function payloads(bus: Events, wanted: string): readonly GatewayEvent["payload"][] {
  return bus
    .since(0)
    .events.filter(({ type }) => type === wanted)
    .map(({ payload }) => payload);
}

export interface Webhook extends TestServer {
  readonly url: string;
  /** What it was told, in order. */
  told(): readonly Told[];
}

export async function webhook(
  answer: (res: ServerResponse, req: IncomingMessage) => void = (res) => void res.writeHead(204).end(),
): Promise<Webhook> {
  const server = await httpServer((req, res) => answer(res, req));
  return {
    ...server,
    url: `${server.origin}/hook?key=hunter2-in-the-query`,
    told: () => server.seen.map(({ body }) => JSON.parse(body) as Told),
  };
}
