/** How a request's handler learns that its work is to be given up: by `cancellation`, and by `signal`, which tells the same. */
import { request as dial } from "node:http";
import { connect } from "node:net";
import { type Cancellation, definePlugin, GatewayError, type RouteRequest, signalOf } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { Canceller } from "../../kernel/http/canceller.ts";
import { RequestView } from "../../kernel/http/request-view.ts";
import { Scope } from "../../kernel/instance/scope.ts";
import { until } from "../kit/until.ts";

type Told = readonly [cancellation: string, signal: string];

async function world(config: Readonly<Record<string, unknown>> = {}) {
  const waiting: RouteRequest[] = [];
  const told: Told[] = [];
  const waiter = definePlugin({
    id: "waiter",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      const wait = (request: RouteRequest) =>
        new Promise<never>((_, reject) => {
          const { cancellation } = request;
          waiting.push(request);
          cancellation.addEventListener("abort", () => {
            queueMicrotask(() => told.push([codeOf(cancellation), codeOf(request.signal)]));
            reject(cancellation.reason);
          });
        });
      ctx.route({ method: "GET", path: "/wait", access: "read", handler: wait });
      ctx.route({ method: "POST", path: "/read", access: "write", handler: () => "read" });
    },
  });
  const host = await startHost({ plugins: [waiter], port: 0, config });
  onTestFinished(() => host.stop());
  return { host, waiting, told };
}

function codeOf({ aborted, reason }: Cancellation): string {
  return aborted && GatewayError.is(reason) ? reason.code : `aborted: ${aborted}`;
}

it("tells that the client has left", async () => {
  const { host, waiting, told } = await world();
  const leaver = dial(`${host.url}/wait`, { headers: { authorization: `Bearer ${host.token}` } });
  leaver.on("error", () => undefined).end();
  await until(() => waiting.length === 1);
  expect(waiting[0]?.cancellation.aborted).toBe(false);
  leaver.destroy();
  await until(() => told.length === 1);
  expect(told).toEqual([["CLIENT_GONE", "CLIENT_GONE"]]);
});

it("tells that the plugin is stopped, also of one that reads its body still", async () => {
  const { host, waiting, told } = await world({ plugins: { drainMs: 20 } });
  const answer = host.request("/wait");
  const slow = connect(Number(new URL(host.url).port), "127.0.0.1");
  onTestFinished(() => void slow.destroy());
  let heard = "";
  slow.on("data", (chunk) => {
    heard += String(chunk);
  });
  const head = ["POST /read HTTP/1.1", "host: x", `authorization: Bearer ${host.token}`, "content-length: 10"];
  slow.write([...head, "expect: 100-continue", "", '{"a"'].join("\r\n"));
  await until(() => waiting.length === 1 && heard.includes("100 Continue"));
  await host.plugins.disable("waiter", "test");
  expect((await answer).status).toBe(503);
  await until(() => heard.includes("503"));
  expect(told).toEqual([["PLUGIN_STOPPED", "PLUGIN_STOPPED"]]);
});

it("leaves nothing behind at the plugin when the reply is complete", () => {
  const scope = new Scope("waiter");
  const parts = { id: "1", method: "GET", path: "/", base: "", headers: {}, address: "127.0.0.1" };
  const identity = { id: "token", name: "", kind: "token", scopes: [] } as const;
  const view = new RequestView(parts, identity, scope);
  expect(view.cancellation.aborted || view.signal.aborted).toBe(false);
  expect(scope.endings.items).toHaveLength(1);
  view.done();
  expect(scope.endings.items).toHaveLength(0);
  const late = new RequestView(parts, identity, scope);
  late.done();
  expect(late.cancellation.aborted || late.signal.aborted).toBe(false);
  expect(scope.endings.items).toHaveLength(0);
});

it("tells everybody who listens once, and nobody who stopped listening", async () => {
  const cancel = new Canceller();
  const heard: string[] = [];
  const never = () => void heard.push("never");
  cancel.addEventListener("abort", never);
  cancel.addEventListener("abort", () => {
    cancel.removeEventListener("abort", meanwhile);
    heard.push(`first: ${cancel.reason}`);
  });
  const meanwhile = () => void heard.push("meanwhile");
  cancel.addEventListener("abort", meanwhile);
  cancel.removeEventListener("abort", never);
  const last = () => void heard.push("last");
  for (const listener of [last, last]) cancel.addEventListener("abort", listener);
  cancel.abort("why");
  cancel.abort("again");
  cancel.addEventListener("abort", () => void heard.push("late"));
  expect(heard).toEqual(["first: why", "last"]);
  expect(signalOf(cancel)).toMatchObject({ aborted: true, reason: "why" });
});

it("becomes an AbortSignal for what takes nothing else", () => {
  const { signal } = new AbortController();
  expect(signalOf(signal)).toBe(signal);
});
