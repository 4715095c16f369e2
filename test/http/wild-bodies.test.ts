/** Streamed bodies that do what they should not: the client is told the truth, nobody waits for ever, and nothing is left behind. */
import { connect } from "node:net";
import { Readable } from "node:stream";
import { definePlugin, Reply, type ReplyBody, type RouteRequest } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";

type Next = () => unknown;

const fail = () => {
  throw new Error("wild");
};

/** Its `next` is called for each chunk; `gone` when it is let go of. */
function body(next: Next, gone: () => void = () => undefined): ReplyBody {
  return {
    [Symbol.asyncIterator]: () => ({
      next: next as () => Promise<IteratorResult<string>>,
      return: async () => {
        gone();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** One chunk, then what `then` gives. */
function after(then: Next): Next {
  let asked = 0;
  return () => (asked++ === 0 ? Promise.resolve({ done: false, value: "begun" }) : then());
}

async function world(make: (request: RouteRequest) => ReplyBody | Promise<ReplyBody>, config = {}) {
  const state = { asked: 0 };
  const wild = definePlugin({
    id: "wild",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) =>
      ctx.route({
        method: "GET",
        path: "/wild",
        access: "read",
        handler: async (request) => {
          state.asked += 1;
          return new Reply(await make(request));
        },
      }),
  });
  const host = await startHost({ plugins: [wild], port: 0, config });
  onTestFinished(() => host.stop());
  const get = (signal?: AbortSignal) =>
    fetch(`${host.url}/wild`, { headers: { authorization: `Bearer ${host.token}` }, ...(signal && { signal }) });
  return { host, get, state };
}

it.each<[string, Next]>([
  ["throws", fail],
  ["rejects", () => Promise.reject(new Error("wild"))],
  ["gives nothing", () => undefined],
  ["resolves with nothing", () => Promise.resolve(undefined)],
  ["gives a number", () => Promise.resolve({ done: false, value: 7 })],
  ["gives null", () => Promise.resolve({ done: false, value: null })],
  ["gives an object", () => Promise.resolve({ done: false, value: { a: 1 } })],
])("a body whose next %s cuts the connection, at once or half-way", async (_how, next) => {
  for (const wild of [next, after(next)]) {
    let gone = 0;
    const { get } = await world(() =>
      body(wild, () => {
        gone += 1;
      }),
    );
    await expect(get().then((reply) => reply.text())).rejects.toThrow();
    await until(() => gone === 1);
  }
});

it("a body that cannot even be begun cuts the connection", async () => {
  const { get } = await world(() => ({ [Symbol.asyncIterator]: fail }));
  await expect(get().then((reply) => reply.text())).rejects.toThrow();
});

it.each<[string, Next, boolean]>([
  ["before the first chunk", () => new Promise(() => undefined), false],
  ["half-way", after(() => new Promise(() => undefined)), true],
])(
  "a body whose client leaves %s is let go of once, and what it gives later is nobody's",
  async (_when, next, begun) => {
    let gone = 0;
    let late = (): void => undefined;
    const { host, get } = await world(() =>
      body(
        () => {
          const given = next() as Promise<unknown>;
          return Promise.race([given, new Promise((resolve) => (late = () => resolve({ done: false, value: 7 })))]);
        },
        () => {
          gone += 1;
        },
      ),
    );
    const leave = new AbortController();
    const reply = await get(leave.signal);
    if (begun) await reply.body?.getReader().read();
    leave.abort();
    await until(() => gone === 1);
    late();
    expect((await host.request("/nothing")).status).toBe(404);
    expect([gone, host.plugins.info("wild").faults]).toEqual([1, 0]);
  },
);

it("a stream of Node's that says nothing more is ended when its client leaves", async () => {
  const stream = new Readable({ read: () => undefined });
  stream.push("begun");
  const { get } = await world(() => stream);
  const leave = new AbortController();
  const reply = await get(leave.signal);
  await reply.body?.getReader().read();
  leave.abort();
  await until(() => stream.destroyed);
});

it("a stream of Node's that comes after its plugin was stopped is ended", async () => {
  const stream = new Readable({ read: () => undefined });
  const { host, get, state } = await world(
    ({ cancellation }) =>
      new Promise((resolve) => cancellation.addEventListener("abort", () => resolve(stream), { once: true })),
    { plugins: { drainMs: 20 } },
  );
  const asking = get()
    .then((reply) => reply.text())
    .catch(() => "cut");
  await until(() => state.asked === 1);
  await host.plugins.disable("wild", "test");
  expect(await asking).toBe("cut");
  await until(() => stream.destroyed);
});

it("bodies that wait behind another one on their connection are let go of when that closes", async () => {
  let gone = 0;
  const { host, state } = await world(() =>
    body(
      after(() => new Promise(() => undefined)),
      () => {
        gone += 1;
      },
    ),
  );
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  const head = ["GET /wild HTTP/1.1", "host: x", `authorization: Bearer ${host.token}`, "", ""].join("\r\n");
  socket.write(head.repeat(5));
  await until(() => state.asked === 5);
  await until(() => socket.bytesRead > 0);
  socket.destroy();
  await until(() => gone === 5);
});
