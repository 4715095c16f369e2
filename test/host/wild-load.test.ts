/** Wild plugins under load, switched on and off all the while: not one request of the others fails. */
import { definePlugin, GatewayError, Reply } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { expect, it } from "vitest";

const calm = definePlugin({
  id: "calm",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/calm", access: "read", handler: () => ({ ok: true }) });
    ctx.stream({
      path: "/calm/live",
      access: "read",
      async open(socket) {
        for await (const frame of socket.incoming()) socket.send(frame);
      },
    });
  },
});

const antics: Record<string, () => unknown> = {
  throws: () => {
    throw new Error("wild");
  },
  refuses: () => {
    throw new GatewayError("WILD", Number.NaN, "wild", { size: 1n });
  },
  hangs: () => new Promise(() => undefined),
  tears: () => new Reply(half()),
  drips: () => new Reply(drops()),
  circles: () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    return circle;
  },
};

const wild = definePlugin({
  id: "wild",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    let turn = 0;
    const sometimes = () => {
      turn += 1;
      if (turn % 3 === 0) throw new Error("wild");
      return undefined;
    };
    for (const [name, handler] of Object.entries(antics))
      ctx.route({ method: "GET", path: `/wild/${name}`, access: "read", handler });
    ctx.on("http:request", async () => sometimes());
    ctx.on("http:reply", () => sometimes());
    ctx.on("http:error", () => ({ size: 1n }) as never);
    ctx.on("config:changed", () => new Promise(() => undefined));
    ctx.every(1, () => {
      throw new Error("wild");
    });
    ctx.start(() => ctx.own("stuck", () => new Promise((_, reject) => setImmediate(reject, new Error("stuck")))));
  },
});

it("20 times on and off", async () => {
  const config = { plugins: { drainMs: 20, quarantine: { faults: 10_000 } } };
  await using host = await startHost({ plugins: [calm, wild], config });
  const before = host.census();
  const socket = await host.connect("/calm/live");
  const statuses: number[] = [];
  let running = true;
  const load = Array.from({ length: 4 }, async () => {
    while (running) statuses.push((await host.request("/calm")).status);
  });
  const mischief = Object.keys(antics).map(async (name) => {
    while (running) await provoke(host, name);
  });
  for (let round = 0; round < 20; round += 1) {
    await host.plugins.disable("wild", "test");
    socket.send({ round });
    expect(await socket.next()).toEqual({ round });
    await host.plugins.enable("wild", "test");
  }
  running = false;
  await Promise.all(load);
  await host.plugins.disable("wild", "test");
  await Promise.all(mischief);
  await host.plugins.enable("wild", "test");
  expect(statuses.length).toBeGreaterThan(100);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(host.census()).toEqual({ ...before, socket: 1 });
});

/** However it ends, it ends. */
async function provoke(host: TestHost, name: string): Promise<void> {
  await host.request(`/wild/${name}`).catch(() => undefined);
}

async function* half(): AsyncGenerator<string> {
  yield "half";
  throw new Error("wild");
}

async function* drops(): AsyncGenerator<string> {
  for (let drop = 0; drop < 5; drop += 1) {
    await new Promise((next) => setImmediate(next));
    yield "drop";
  }
}
