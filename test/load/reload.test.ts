/** Everything may change under load: config, plugins, the port. Not one request fails, not one stream of others breaks. */
import { Agent, request as httpRequest } from "node:http";
import { definePlugin, Type } from "@chela/sdk";
import { connectTo, startHost, type TestSocket } from "@chela/sdk/testing";
import { expect, it } from "vitest";
import { pauseFor, until } from "../kit/until.ts";

const steady = definePlugin({
  id: "steady",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/steady", access: "read", handler: () => ({ ok: true }) });
    ctx.stream({
      path: "/steady/live",
      access: "read",
      open: async (socket) => {
        for await (const frame of socket.incoming()) socket.send(frame);
      },
    });
  },
});

const shaken = definePlugin({
  id: "shaken",
  version: "1.0.0",
  host: "^1.0.0",
  config: Type.Object({ hot: Type.Integer({ default: 0 }), cold: Type.Integer({ default: 0 }) }),
  hot: ["hot"],
  setup(ctx) {
    ctx.route({ method: "GET", path: "/shaken", access: "read", handler: () => ctx.config });
    ctx.on("http:reply", (reply) => reply);
  },
});

/** 500 requests a second on keep-alive connections; counts what did not answer 200. */
class Load {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #timer: NodeJS.Timeout;
  readonly failures: string[] = [];
  sent = 0;
  answered = 0;

  constructor(url: () => string, token: string) {
    this.#timer = setInterval(() => {
      for (let i = 0; i < 5; i += 1) this.#one(url(), token);
    }, 10);
  }

  #one(url: string, token: string): void {
    this.sent += 1;
    const req = httpRequest(
      `${url}/steady`,
      { agent: this.#agent, headers: { authorization: `Bearer ${token}` } },
      (res) => {
        res.resume().once("end", () => {
          this.answered += 1;
          if (res.statusCode !== 200) this.failures.push(`status ${res.statusCode}`);
        });
      },
    );
    req.once("error", (error) => {
      this.answered += 1;
      this.failures.push(error.message);
    });
    req.end();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await until(() => this.answered === this.sent, 10_000, "all requests to be answered");
    this.#agent.destroy();
  }
}

async function openSockets(url: string, token: string, count: number): Promise<TestSocket[]> {
  const target = `${url.replace("http", "ws")}/steady/live`;
  return Promise.all(Array.from({ length: count }, () => connectTo(target, { authorization: `Bearer ${token}` })));
}

it("100 config changes, 20 toggles and a port change at 500 requests/s with 200 open sockets: no failure", async () => {
  await using host = await startHost({ plugins: [steady, shaken], port: 0 });
  const sockets = await openSockets(host.url, host.token, 200);
  const load = new Load(() => host.url, host.token);
  const who = { who: "test" };
  await until(() => load.answered > 50);
  for (let i = 1; i <= 100; i += 1) {
    const key = i % 10 === 0 ? "cold" : "hot";
    await host.config.write([{ path: `plugins.entries.shaken.config.${key}`, value: i }], who);
    await pauseFor(10);
  }
  for (let i = 0; i < 20; i += 1) {
    await host.plugins.disable("shaken", "test");
    await pauseFor(5);
    await host.plugins.enable("shaken", "test");
    await pauseFor(5);
  }
  await host.config.write([{ path: "gateway.port", value: await freePort() }], who);
  const before = load.answered;
  await until(() => load.answered > before + 200);
  await load.end();
  expect(load.failures).toEqual([]);
  expect(load.sent).toBeGreaterThan(500);
  for (const socket of sockets) socket.send({ still: "open" });
  for (const socket of sockets) expect(await socket.next()).toEqual({ still: "open" });
  for (const socket of sockets) socket.close();
}, 60_000);

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const probe = createServer().listen(0, "127.0.0.1");
  await until(() => probe.listening);
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
