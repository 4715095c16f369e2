/** What outlives the request it began with is told when the credential of that request goes. */
import { definePlugin, gateway, need, type RouteRequest } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";

/** Keys are single letters. */
async function door() {
  const state = {
    gone: new Set<string>(),
    ended: [] as string[],
    forget: () => {},
    /** In the handler, before it asks to be told. */
    meanwhile: async () => {},
  };
  let request: RouteRequest | undefined;
  const plugin = definePlugin({
    id: "door",
    version: "1.0.0",
    host: "^1.0.0",
    needs: { gateway: need(gateway, "^1.0.0") },
    setup(ctx) {
      const begin = () => {
        const id = request?.identity.id as string;
        state.forget = ctx.use.gateway.onCredentialEnd(() => state.ended.push(id), request as RouteRequest);
        return id;
      };
      ctx.on("auth:identify", ({ candidates: [shown] }) => {
        const id = shown?.value ?? "";
        return id.length === 1 && !state.gone.has(id) ? { id, name: id, kind: "key", scopes: ["read"] } : undefined;
      });
      const handler = async (asked: RouteRequest) => {
        request = asked;
        await state.meanwhile();
        return begin();
      };
      ctx.route({ method: "GET", path: "/begin", access: "read", handler });
      ctx.route({ method: "GET", path: "/late", access: "read", handler: begin });
    },
  });
  const host = await startHost({ plugins: [plugin] });
  onTestFinished(() => host.stop());
  return {
    host,
    state,
    begin: (token: string, path = "/begin") => host.request(path, { token }),
    recheck: () => host.service(gateway).recheckCredentials(),
  };
}

it("tells it once, and nobody else", async () => {
  const { begin, host, recheck, state } = await door();
  const { subscription: before = 0 } = host.census();
  for (const key of ["a", "b", "a"]) expect((await begin(key)).status).toBe(200);
  await recheck();
  expect(state.ended).toEqual([]);
  state.gone.add("a");
  expect(await recheck()).toBe(0);
  await recheck();
  expect(state.ended).toEqual(["a", "a"]);
  expect(host.census().subscription).toBe(before + 1);
});

it("tells it of a recheck that came while the request was answered", async () => {
  const { begin, recheck, state } = await door();
  state.meanwhile = async () => {
    state.gone.add("a");
    await recheck();
  };
  expect((await begin("a")).status).toBe(200);
  await until(() => state.ended.includes("a"), 2000);
});

it("tells nothing to what is forgotten, or whose plugin has stopped", async () => {
  const { begin, host, recheck, state } = await door();
  await begin("a");
  state.forget();
  await begin("b");
  const { subscription = 0 } = host.census();
  await host.plugins.disable("door", "test");
  expect(host.census().subscription ?? 0).toBeLessThan(subscription);
  for (const key of ["a", "b"]) state.gone.add(key);
  await recheck();
  expect(state.ended).toEqual([]);
});

it("wants a request that is being answered", async () => {
  const { begin } = await door();
  await begin("a");
  expect(await begin("a", "/late")).toMatchObject({
    status: 500,
    text: expect.stringContaining("onCredentialEnd wants a request that is being answered"),
  });
});
