/** Credentials asked anew: each reply that goes on is judged for itself, and a slow answer about one keeps no other one open. */
import { type Context, type Gateway, gateway, Reply, type RouteRequest } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";
import { plugin, type Setup } from "./kit.ts";

it("ends what has lost its credential while it is still asked about another", async () => {
  const state = { gone: false, left: [] as string[], answer: () => undefined as unknown };
  const slowly = new Promise((resolve) => {
    state.answer = () => resolve(undefined);
  });
  const who = (name: string) => ({ id: name, name, kind: "key", scopes: ["read"] }) as const;
  const talk = ({ identity, signal }: RouteRequest) => {
    async function* words() {
      yield "data: hello\n\n";
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      state.left.push(identity.name);
    }
    return Reply.sse(words());
  };
  const made = plugin("door", ((ctx: Context<unknown>) => {
    ctx.on("auth:identify", ({ candidates }) => {
      const shows = (secret: string) => candidates.some(({ value }) => value === secret);
      if (shows("slow")) return state.gone ? slowly.then(() => who("slow")) : who("slow");
      return shows("quick") && !state.gone ? who("quick") : undefined;
    });
    ctx.route({ method: "GET", path: "/talk", access: "read", handler: talk });
  }) as Setup);
  const host = await startHost({ plugins: [made], port: 0 });
  onTestFinished(() => host.stop());
  const leave = new AbortController();
  const open = (token: string) =>
    fetch(`${host.url}/talk`, { headers: { authorization: `Bearer ${token}` }, signal: leave.signal });
  const replies = [await open("slow"), await open("quick")];
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  state.gone = true;
  const rechecked = (host.service(gateway) as Gateway).recheckCredentials();
  await until(() => state.left.includes("quick"), 2_000);
  state.answer();
  expect(await rechecked).toBe(1);
  expect(state.left).toEqual(["quick"]);
  leave.abort();
});
