/** Streams and the event bus against plugins that send, refuse, close and publish what they should not. */
import { definePlugin, events, type GatewayEvent, need, type Socket, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";

function streaming(open: (socket: Socket) => void, refuse?: () => unknown) {
  return definePlugin({
    id: "wild",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      ctx.stream({
        path: "/wild",
        access: "read",
        up: Type.Object({ a: Type.Integer() }),
        open,
        ...(refuse && { refuse }),
      });
    },
  });
}

const faults = (host: TestHost) => host.plugins.info("wild").faults;
const fail = () => {
  throw new Error("wild");
};

describe("a stream", () => {
  it.each([
    ["a BigInt", (socket: Socket) => void socket.send(1n)],
    ["nothing", (socket: Socket) => void socket.send(undefined)],
    ["a function", (socket: Socket) => void socket.send(() => 1)],
    ["a close code of the protocol's own", (socket: Socket) => socket.close(1006)],
    ["a close code that is none", (socket: Socket) => socket.close(99_999)],
  ])("that sends %s is closed with 1011, and it is a fault", async (_what, open) => {
    await using host = await startHost({ plugins: [streaming(open)] });
    const socket = await host.connect("/wild");
    expect((await socket.closed).code).toBe(1011);
    expect(faults(host)).toBe(1);
  });

  it("may close with a reason of any length, in any script", async () => {
    await using host = await startHost({ plugins: [streaming((socket) => socket.close(4000, "再见🐚".repeat(60)))] });
    const { code, reason } = await (await host.connect("/wild")).closed;
    expect(code).toBe(4000);
    expect(reason).toMatch(/^(再见🐚)+再?见?$/u);
    expect(Buffer.byteLength(reason)).toBeGreaterThan(100);
  });

  it.each([
    ["throws", fail],
    ["answers with what is no JSON", () => ({ size: 1n })],
  ])("whose `refuse` %s tells the client all the same, and stays open", async (_what, refuse) => {
    const echo = async (socket: Socket) => {
      for await (const frame of socket.incoming()) socket.send(frame);
    };
    await using host = await startHost({ plugins: [streaming((socket) => void echo(socket), refuse)] });
    const socket = await host.connect("/wild");
    socket.send("no json");
    expect(await socket.next()).toMatchObject({ ok: false, code: "BAD_JSON" });
    socket.send({ a: 1 });
    expect(await socket.next()).toEqual({ a: 1 });
    expect(faults(host)).toBe(1);
  });
});

describe("the event bus", () => {
  const listening = (
    setup: (
      on: (listener: (event: GatewayEvent) => void) => () => void,
      emit: (type: string, payload?: Record<string, unknown>) => void,
    ) => void,
  ) =>
    definePlugin({
      id: "wild",
      version: "1.0.0",
      host: "^1.0.0",
      needs: { events: need(events, "^1.0.0") },
      setup(ctx) {
        setup(ctx.use.events.subscribe, (type, payload) => ctx.emit(type, payload));
        ctx.route({ method: "POST", path: "/go", access: "write", handler: () => ctx.emit("go") });
      },
    });

  it("tells every listener everything in order, also what listeners publish", async () => {
    const seen: string[] = [];
    const plugin = listening((on, emit) => {
      on(({ type }) => {
        if (type === "go") emit("first");
        if (type === "first") emit("second");
      });
      on(({ type }) => void seen.push(type));
    });
    await using host = await startHost({ plugins: [plugin] });
    seen.length = 0;
    await host.request("/go", { method: "POST" });
    expect(seen).toEqual(["go", "first", "second"]);
  });

  it("ends what would answer itself for ever, says so, and goes on", async () => {
    let told = 0;
    const plugin = listening((on, emit) => {
      on(({ type }) => {
        if (type === "go" || type === "echo") for (let i = 0; i < 2; i += 1) emit("echo");
      });
      on(() => {
        told += 1;
      });
    });
    await using host = await startHost({ plugins: [plugin] });
    told = 0;
    expect((await host.request("/go", { method: "POST" })).status).toBe(204);
    expect(told).toBe(1000);
    expect(host.logs().some(({ error }) => JSON.stringify(error ?? "").includes("without end"))).toBe(true);
    await host.request("/go", { method: "POST" });
    expect(told).toBe(2000);
  });

  it("keeps what was published as it was", async () => {
    const payload = { list: [1] };
    const plugin = listening((_on, emit) => {
      emit("kept", payload);
      payload.list.push(2);
    });
    await using host = await startHost({ plugins: [plugin] });
    const kept = host
      .service(events)
      .since(0)
      .events.find(({ type }) => type === "kept");
    expect(kept?.payload).toEqual({ list: [1] });
  });

  it("forgets a listener with its plugin, and only once", async () => {
    const seen: string[] = [];
    const plugin = listening((on) => {
      on(({ type }) => void seen.push(type));
      on(() => undefined)();
    });
    await using host = await startHost({ plugins: [plugin] });
    expect(host.census()).toMatchObject({ subscription: 1 });
    await host.plugins.disable("wild", "test");
    seen.length = 0;
    await host.plugins.enable("wild", "test");
    await host.plugins.disable("wild", "test");
    expect(seen.filter((type) => type === "config_changed")).toHaveLength(1);
  });
});
