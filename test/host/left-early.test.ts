/** A client that leaves before its reply begins: the body that nobody will read is let go of. */
import { Readable } from "node:stream";
import { definePlugin, Reply, type ReplyBody } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";

const never = () => new Promise<never>(() => undefined);

/** Bodies of each kind, each telling when it was let go of. */
const bodies: readonly [string, (gone: () => void) => ReplyBody][] = [
  [
    "iterable",
    (gone) => ({
      [Symbol.asyncIterator]: () => ({
        next: never,
        return: async () => {
          gone();
          return { done: true, value: undefined };
        },
      }),
    }),
  ],
  ["stream of the web", (gone) => new ReadableStream({ pull: never, cancel: gone })],
  ["stream of Node", (gone) => new Readable({ read: () => undefined }).once("close", gone)],
];

it.each(bodies)("ends a body whose client left before it was there: %s", async (_kind, make) => {
  const state = { asked: false, gone: 0 };
  const slow = definePlugin({
    id: "slow",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) =>
      ctx.route({
        method: "GET",
        path: "/slow",
        access: "read",
        handler: async ({ signal }) => {
          state.asked = true;
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
          const gone = () => {
            state.gone += 1;
          };
          return new Reply(make(gone));
        },
      }),
  });
  const host = await startHost({ plugins: [slow], port: 0 });
  onTestFinished(() => host.stop());
  const leave = new AbortController();
  const asking = fetch(`${host.url}/slow`, {
    headers: { authorization: `Bearer ${host.token}` },
    signal: leave.signal,
  }).catch(() => "left");
  await until(() => state.asked);
  leave.abort();
  expect(await asking).toBe("left");
  await until(() => state.gone === 1);
});
