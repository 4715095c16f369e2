import { writeFileSync } from "node:fs";
import { definePlugin } from "@chela/sdk";
import { startHost, type TestSocket } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import logs from "../../../plugins/logs/index.ts";

type Frame = Record<string, unknown> & { type: string; seq: number };

async function open() {
  let emit: (type: string, payload?: Record<string, unknown>) => void = () => undefined;
  const source = definePlugin({
    id: "source",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      emit = (type, payload) => ctx.emit(type, payload);
    },
  });
  const host = await startHost({ plugins: [apiConfig, logs, source], config: {} });
  onTestFinished(() => host.stop());
  return { host, emit: (type: string, payload?: Record<string, unknown>) => emit(type, payload) };
}

const next = (socket: TestSocket) => socket.next() as Promise<Frame>;

async function nextOf(socket: TestSocket, type: string): Promise<Frame> {
  for (;;) {
    const frame = await next(socket);
    if (frame.type === type) return frame;
  }
}

describe("/api/events/live", () => {
  test("says ready first, then events, and ignores whatever the client sends", async () => {
    const { host, emit } = await open();
    const socket = await host.connect("/api/events/live");
    expect(await next(socket)).toEqual({ type: "ready", seq: expect.any(Number) });
    for (let i = 0; i < 600; i += 1) socket.send(i % 2 ? "not json" : { type: "hello" });
    emit("sample", { type: "forged", seq: -1, text: "hi" });
    expect(await next(socket)).toEqual({ type: "sample", seq: expect.any(Number), at: expect.any(Number), text: "hi" });
    socket.close();
    await socket.closed;
  });

  test("a change over the API is one config_changed from webui, with its keys and no value", async () => {
    const { host, emit } = await open();
    const socket = await host.connect("/api/events/live");
    await next(socket);
    await host.request("/api/config", { body: { logging: { level: "warn" } } });
    await host.config.write([{ path: "logging.level", value: "error" }], { who: "elsewhere" });
    emit("end");
    const frames: Frame[] = [];
    do frames.push(await next(socket));
    while (frames.at(-1)?.type !== "end");
    expect(frames.filter(({ type }) => type === "config_changed")).toMatchObject([
      { source: "webui", changed: ["logging.level"] },
      { source: "elsewhere", changed: ["logging.level"] },
    ]);
    expect(JSON.stringify(frames)).not.toContain("warn");
  });

  test("repeats what a client missed, exactly once and in order", async () => {
    const { host, emit } = await open();
    const first = await host.connect("/api/events/live");
    const { seq } = await next(first);
    for (let i = 0; i < 5; i += 1) emit("tick", { i });
    const again = await host.connect(`/api/events/live?since=${seq + 2}`);
    expect(await next(again)).toMatchObject({ type: "ready", seq: seq + 5 });
    emit("tick", { i: 5 });
    const seen = [await next(again), await next(again), await next(again), await next(again)];
    expect(seen.map(({ i }) => i)).toEqual([2, 3, 4, 5]);
    expect(seen.map((frame) => frame.seq)).toEqual([seq + 3, seq + 4, seq + 5, seq + 6]);
  });

  test("says that events are lost, also to a client of an earlier process", async () => {
    const { host, emit } = await open();
    for (let i = 0; i < 1100; i += 1) emit("tick", { i });
    const socket = await host.connect("/api/events/live?since=1");
    expect((await next(socket)).type).toBe("ready");
    expect(await next(socket)).toEqual({ type: "gap" });
    expect((await next(socket)).i).toBe(100);
    const later = await host.connect("/api/events/live?since=999999");
    await next(later);
    expect(await next(later)).toEqual({ type: "gap" });
    expect((await next(later)).i).toBe(100);
    const odd = await host.connect("/api/events/live?since=abc");
    await next(odd);
    emit("tick", { i: "new" });
    expect((await next(odd)).i).toBe("new");
  });

  test("a file that does not parse is told, and found again by replay", async () => {
    const { host } = await open();
    const socket = await host.connect("/api/events/live");
    const { seq } = await next(socket);
    writeFileSync(host.config.path, "{\n  broken");
    await expect(host.config.reload("test")).rejects.toThrow();
    const told = await nextOf(socket, "config_error");
    expect(told.message).toEqual(expect.stringMatching(/line 2/));
    const late = await host.connect(`/api/events/live?since=${seq}`);
    expect(await nextOf(late, "config_error")).toEqual(told);
    const status = (await host.request("/api/status")).json();
    expect(status).toMatchObject({ config: { trouble: { message: told.message } } });
  });

  test("needs a credential, and closes with the plugin", async () => {
    const { host } = await open();
    await expect(host.connect("/api/events/live", { token: null })).rejects.toThrow("401");
    const socket = await host.connect("/api/events/live");
    await next(socket);
    await host.plugins.disable("api-config", "test");
    expect((await socket.closed).code).toBe(1012);
  });
});
