/** A gateway with the Weixin plugin and its waits shortened, a simulated iLink, and a person with a phone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Events, events, type GatewayEvent, type Plugin } from "@chela/sdk";
import { startHost, type TestHost, type TestReply } from "@chela/sdk/testing";
import { expect, onTestFinished } from "vitest";
import channels from "../../../plugins/channels/index.ts";
import { weixinPlugin } from "../../../plugins/weixin/plugin.ts";
import type { Timing } from "../../../plugins/weixin/timing.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { type Sim, type SimOptions, startSim } from "../../simulators/ilink/server.ts";

export interface Row {
  readonly login_id: string;
  readonly qr_code: string;
  readonly qr_code_img_content: string;
  readonly status: string;
  readonly last_error: string;
  readonly updated_at: string;
  readonly qr_available: boolean;
}

export type AccountRow = Readonly<Record<string, unknown>> & { readonly bot_id: string; readonly default: boolean };

export interface Status {
  readonly ok: boolean;
  readonly error?: string;
  readonly enabled: boolean;
  readonly config_enabled: boolean;
  readonly runtime_enabled: boolean;
  readonly draft_dirty: boolean;
  readonly base_url: string;
  readonly pending_logins: readonly Row[];
  readonly pending_login: Row;
  readonly accounts: readonly AccountRow[];
}

export interface RigOptions extends SimOptions {
  readonly timing?: Partial<Timing>;
  /** Of `channels.weixin`, beside `enabled` and `base_url`. */
  readonly weixin?: Readonly<Record<string, unknown>>;
  readonly stateDir?: string;
  readonly sim?: Sim;
  readonly plugins?: readonly Plugin[];
}

export interface Rig {
  readonly host: TestHost;
  readonly sim: Sim;
  readonly events: readonly GatewayEvent[];
  status(): Promise<Status>;
  post(path: string, body?: unknown): Promise<TestReply>;
  /** Begins a login; its row, and the key of its QR code at the simulator. */
  start(): Promise<Row>;
  /** Waits until the login is at a status. */
  at(login: Row, status: string): Promise<Row>;
  /** A whole login, confirmed and stored. */
  login(user?: string): Promise<{ readonly bot: string; readonly token: string }>;
  /** What the plugin's file holds. */
  book(): Record<string, unknown> & { readonly accounts: readonly Record<string, unknown>[] };
  readonly bookPath: string;
}

const quick: Timing = { qrMs: 2000, pollMs: 1000, pauseMs: 10, loginMs: 20_000, keepMs: 600_000, firstLookMs: 50 };

export async function simulator(options: SimOptions = {}): Promise<Sim> {
  const sim = await startSim({ prefix: "/x", ...options });
  onTestFinished(() => sim.close());
  return sim;
}

export async function rig({ timing, weixin, stateDir = tempDir("weixin"), ...options }: RigOptions = {}): Promise<Rig> {
  const sim = options.sim ?? (await simulator(options));
  const host = await startHost({
    plugins: [channels, weixinPlugin({ ...quick, ...timing }), ...(options.plugins ?? [])],
    stateDir,
    config: { channels: { weixin: { enabled: true, base_url: sim.apiBase, ...weixin } } },
  });
  const seen: GatewayEvent[] = [];
  host.service<Events>(events).subscribe((event) => seen.push(event));
  onTestFinished(async () => {
    await host.stop();
    expectSilence(sim, host, seen);
  });
  const bookPath = join(stateDir, "data/weixin/accounts.json");
  const status = async () => (await host.request("/api/weixin/status")).json() as Status;
  const post = (path: string, body?: unknown) =>
    host.request(`/api/weixin/${path}`, { method: "POST", ...(body === undefined ? {} : { body }) });
  const start = async () => {
    const reply = await post("login/start");
    expect(reply.status, reply.text).toBe(200);
    return (reply.json() as Status).pending_logins.at(-1) as Row;
  };
  return {
    host,
    sim,
    events: seen,
    status,
    post,
    start,
    at: (login, wanted) =>
      until(
        async () =>
          (await status()).pending_logins.find((row) => row.login_id === login.login_id && row.status === wanted),
        5000,
        `the login to be at ${wanted}`,
      ),
    login: async (user) => {
      const { qr_code } = await start();
      const made = sim.logins.confirm(qr_code, user === undefined ? {} : { user });
      await until(async () => (await status()).accounts.some(({ bot_id }) => bot_id === made.bot));
      return made;
    },
    book: () => JSON.parse(readFileSync(bookPath, "utf8")) as ReturnType<Rig["book"]>,
    bookPath,
  };
}

/** No token, QR code or number is in a log line or an event. */
function expectSilence(sim: Sim, host: TestHost, seen: readonly GatewayEvent[]): void {
  const told = JSON.stringify([host.logs(), seen]);
  expect(sim.logins.secrets.filter((secret) => told.includes(secret))).toEqual([]);
}
