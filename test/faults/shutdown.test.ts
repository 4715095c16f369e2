/** The end of a gateway: told to everyone, nothing in flight is lost within the grace, and nobody can hold it up. */

import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { connectTo, type TestSocket } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { call, chat, history, result } from "./kit.ts";
import { openRaw } from "./raw-socket.ts";

async function started(graceMs = 10_000): Promise<RunningGateway> {
  const stateDir = tempDir("shutdown");
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ gateway: { shutdownGraceMs: graceMs } }));
  return startGateway({ stateDir });
}

function listenTo(gateway: RunningGateway, path = "/api/events/live"): Promise<TestSocket> {
  const headers = { authorization: `Bearer ${gateway.token}` };
  return connectTo(gateway.url.replace("http", "ws") + path, headers);
}

/** A turn of the offline model that takes `ms`, once the gateway works on it. */
async function slowTurn(
  gateway: RunningGateway,
  ms: number,
  session: string,
): Promise<{ answer: ReturnType<typeof chat> }> {
  const answer = chat(gateway, `/slow ${ms}`, session);
  await until(async () => (await history(gateway, session)).length === 1);
  return { answer };
}

function refusesConnections(gateway: RunningGateway): Promise<boolean> {
  const { port } = new URL(gateway.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

async function endsWithin(gateway: RunningGateway, ms: number): Promise<number | string> {
  const from = performance.now();
  const code = await gateway.ended;
  expect(performance.now() - from).toBeLessThan(ms);
  return code;
}

describe("SIGTERM", () => {
  it("is told to every stream, new clients are refused at once, and what runs is finished", async () => {
    const gateway = await started();
    const [events, idle] = [await listenTo(gateway), await listenTo(gateway, "/api/chat/live")];
    await events.next();
    const { answer } = await slowTurn(gateway, 700, "slow");
    expect(await events.next()).toMatchObject({ type: "turn_started", session: "slow" });
    gateway.signal("SIGTERM");
    expect(await events.next()).toMatchObject({ type: "shutdown", reason: "SIGTERM" });
    await until(() => refusesConnections(gateway), 600, "new connections to be refused");
    expect((await answer).status).toBe(200);
    expect(await events.closed).toMatchObject({ code: 1012 });
    expect(await idle.closed).toMatchObject({ code: 1012 });
    expect(await gateway.ended).toBe(0);
    const again = await startGateway({ stateDir: gateway.stateDir });
    expect(await history(again, "slow")).toHaveLength(2);
  });

  it("cuts off what takes longer than the grace, and the next start knows of it", async () => {
    const gateway = await started(300);
    const { answer } = await slowTurn(gateway, 20_000, "late");
    const lost = answer.catch((error: unknown) => error);
    gateway.signal("SIGTERM");
    expect(await endsWithin(gateway, 2500)).toBe(0);
    expect(await lost).toBeDefined();
    const again = await startGateway({ stateDir: gateway.stateDir });
    expect((await history(again, "late"))[0]).toBe("/slow 20000");
    expect((await chat(again, "/echo on", "late")).status).toBe(200);
  });

  it("is not held up by clients that are silent, deaf, half open or only connected", async () => {
    const gateway = await started();
    const authority = new URL(gateway.url).host;
    const bearer = `authorization: Bearer ${gateway.token}\r\n`;
    const silent = openRaw(gateway.url);
    const kept = openRaw(gateway.url);
    kept.write(`GET /health HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
    const halfHead = openRaw(gateway.url);
    halfHead.write("GET /health HTTP/1.1\r\n");
    const upgraded = openRaw(gateway.url);
    upgraded.write(
      `GET /api/events/live HTTP/1.1\r\nhost: ${authority}\r\n${bearer}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    const refused = openRaw(gateway.url);
    refused.write(
      `GET /nothing HTTP/1.1\r\nhost: ${authority}\r\n${bearer}connection: Upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    const deaf = new WebSocket(`${gateway.url.replace("http", "ws")}/api/logs/live`, {
      headers: { authorization: `Bearer ${gateway.token}` },
    });
    await new Promise((resolve) => deaf.once("open", resolve));
    deaf.on("error", () => undefined);
    deaf.pause();
    await until(
      () => [kept, upgraded, refused].every((socket) => socket.text().includes("HTTP/1.1 ")),
      5000,
      "the answers",
    );
    silent.pause();
    gateway.signal("SIGTERM");
    expect(await endsWithin(gateway, 5000)).toBe(0);
    deaf.terminate();
  });

  it("twice ends it within a second, whatever the second one is", async () => {
    for (const second of ["SIGTERM", "SIGINT"] as const) {
      const gateway = await started();
      const { answer } = await slowTurn(gateway, 20_000, "late");
      answer.catch(() => undefined);
      gateway.signal("SIGINT");
      await until(() => refusesConnections(gateway), 1000);
      gateway.signal(second);
      expect(await endsWithin(gateway, 1000)).toBe(0);
      const again = await startGateway({ stateDir: gateway.stateDir });
      expect(await result(again, "store.integrity")).toMatchObject({ problems: [] });
    }
  });
});

describe("over RPC", () => {
  it("gateway.stop answers, then ends with 0; asked to restart it ends with 75", async () => {
    for (const [params, code] of [
      [{}, 0],
      [{ why: "restart" }, 75],
    ] as const) {
      const gateway = await started();
      expect(await result(gateway, "gateway.stop", params)).toEqual({ stopping: true });
      expect(await endsWithin(gateway, 3000)).toBe(code);
    }
    const gateway = await started();
    expect((await call(gateway, "gateway.stop", { why: "boredom" })).status).toBe(400);
    const { key } = await result<{ key: string }>(gateway, "keys.add", { name: "reader", scopes: ["read", "write"] });
    const asked = await gateway.fetch("/api/call", { method: "POST", token: key, body: '{"method":"gateway.stop"}' });
    expect(asked.status).toBe(403);
  });

  it("gateway.restart starts every plugin anew inside the process, on the same port, and drops no request", async () => {
    const gateway = await started();
    const before = await result<{ pid: number; generation: number }>(gateway, "gateway.status");
    const events = await listenTo(gateway);
    let running = true;
    const failures: number[] = [];
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) {
          const { status } = await gateway.fetch("/api/version");
          if (status !== 200) failures.push(status);
        }
      }),
    );
    expect(await result(gateway, "gateway.restart", {})).toEqual({ restarted: true });
    expect(await events.closed).toMatchObject({ code: 1012 });
    running = false;
    await load;
    expect(failures).toEqual([]);
    const after = await result<{ pid: number; generation: number; uptimeMs: number }>(gateway, "gateway.status");
    expect(after.pid).toBe(before.pid);
    expect(after.generation).toBeGreaterThan(before.generation);
    expect((await chat(gateway, "/echo hello")).status).toBe(200);
  });
});
