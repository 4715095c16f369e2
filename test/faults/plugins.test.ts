/** Installed plugins that fail at run time, in a gateway of their own: named, counted, put away; everybody else is served. */
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { definePlugin } from "@chela/sdk";
import { connectTo, startHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { chat, plugin, result, stop } from "./kit.ts";

const fixture = (id: string) => fileURLToPath(new URL(`../fixtures/plugins/${id}`, import.meta.url));

/** A state dir as people have them: behind a link, with a space and a letter beyond ASCII in its name. */
function awkwardDir(): string {
  const folder = tempDir("awkward");
  mkdirSync(join(folder, "state d\u00efr"));
  symlinkSync(join(folder, "state d\u00efr"), join(folder, "link"));
  return join(folder, "link");
}

async function startedWith(...ids: string[]): Promise<RunningGateway> {
  const gateway = await startGateway({ stateDir: awkwardDir() });
  for (const id of ids) await result(gateway, "plugins.install", { source: fixture(id) });
  return gateway;
}

/** Before, following each promise would cost more than it is worth: kernel/instance/running.ts. */
const nodeKnowsWhoRuns = Number.parseInt(process.versions.node, 10) >= 24;
const residentBytes = "process_resident_memory_bytes";
const poke = (gateway: RunningGateway, path: string) => gateway.fetch(path, { method: "POST" });

describe("errors that nobody catches", () => {
  it("of a plugin's timer or promise are its own: named, counted, then it is quarantined, and the process lives", async () => {
    const gateway = await startedWith("unhandled-rejection");
    const headers = { authorization: `Bearer ${gateway.token}` };
    const events = await connectTo(`${gateway.url.replace("http", "ws")}/api/events/live`, headers);
    await events.next();
    expect((await poke(gateway, "/zoo/reject")).status).toBe(200);
    const faults = () => result<{ faults: number }>(gateway, "plugins.info", { id: "unhandled-rejection" });
    await until(async () => (await faults()).faults === 2, 5000, "two faults to be counted");
    for (const message of ["nobody waits for me", "thrown in a timer"]) {
      const said = () => gateway.output().stderr.split("\n").slice(0, -1);
      const line = await until(() => said().find((text) => text.includes(message)));
      expect(JSON.parse(line)).toMatchObject({ level: "ERROR", plugin: "unhandled-rejection" });
    }
    for (let i = 0; i < 4; i += 1) await poke(gateway, "/zoo/reject");
    const row = await until(async () => {
      const now = await plugin(gateway, "unhandled-rejection");
      return now?.state === "quarantined" && now;
    });
    expect(row.reason).toMatch(/10 faults within 60 s.*chela plugins release unhandled-rejection/);
    await until(async () => ((await events.next()) as { state?: string }).state === "quarantined");
    expect((await poke(gateway, "/zoo/reject")).status).toBe(404);
    expect((await chat(gateway, "/echo alive")).status).toBe(200);
    await result(gateway, "plugins.release", { id: "unhandled-rejection" });
    expect((await poke(gateway, "/zoo/reject")).status).toBe(200);
    await stop(gateway);
  });

  it("are known to be a plugin's though their stacks name nobody, from Node 24 on: a child, a socket, a worker, a promise", async () => {
    const gateway = await startedWith("careless");
    const accidents = ["child", "socket", "worker", "text", "nothing"];
    const faults = () => result<{ faults: number }>(gateway, "plugins.info", { id: "careless" });
    for (const [count, accident] of accidents.entries()) {
      void poke(gateway, `/zoo/careless/${accident}`).catch(() => undefined);
      if (!nodeKnowsWhoRuns) return expect(await gateway.ended).toBe(70);
      await until(async () => (await faults()).faults === count + 1, 10_000, `the fault of the ${accident}`);
    }
    expect((await chat(gateway, "/echo alive")).status).toBe(200);
    await stop(gateway);
  });

  it("of a plugin that was stopped and left a timer behind end nobody's process", async () => {
    const gateway = await startedWith("careless");
    expect((await poke(gateway, "/zoo/leftover")).status).toBe(200);
    await result(gateway, "plugins.disable", { id: "careless" });
    await until(() => gateway.output().stderr.includes("SCOPE_CLOSED"), 10_000, "the timer to go on");
    expect(await plugin(gateway, "careless")).toMatchObject({ state: "disabled" });
    expect((await chat(gateway, "/echo alive")).status).toBe(200);
    await stop(gateway);
  });

  it("of nobody end the process with 70; three of them in a row lead to safe mode, which says how to leave", async () => {
    let gateway = await startedWith("nobodys-error");
    const { stateDir } = gateway;
    for (let crash = 1; crash <= 3; crash += 1) {
      expect(await result(gateway, "gateway.status")).toMatchObject({ safeMode: false });
      void poke(gateway, "/zoo/nobody").catch(() => undefined);
      expect(await gateway.ended).toBe(70);
      expect(gateway.output().stderr).toContain("ECONNREFUSED");
      const { crashes } = JSON.parse(readFileSync(join(stateDir, "boot.json"), "utf8")) as { crashes: number[] };
      expect(crashes).toHaveLength(crash);
      gateway = await startGateway({ stateDir });
    }
    const status = await result<{ safeMode: boolean; safeModeReason: string }>(gateway, "gateway.status");
    expect(status).toMatchObject({ safeMode: true, safeModeReason: expect.stringContaining("3 boots") });
    expect((await plugin(gateway, "nobodys-error"))?.state).not.toBe("running");
    await result(gateway, "plugins.disable", { id: "nobodys-error" });
    await stop(gateway);
    const normal = await startGateway({ stateDir });
    expect(await result(normal, "gateway.status")).toMatchObject({ safeMode: false });
    expect(await plugin(normal, "nobodys-error")).toMatchObject({ state: "disabled" });
    expect((await chat(normal, "/echo back")).status).toBe(200);
  });
});

describe("a plugin that blocks the event loop", () => {
  it("makes the others wait, and breaks nothing: every request is answered, every socket stays", async () => {
    const gateway = await startedWith("blocks-event-loop");
    const headers = { authorization: `Bearer ${gateway.token}` };
    const socket = await connectTo(`${gateway.url.replace("http", "ws")}/api/events/live`, headers);
    // The lag is measured from the first look on.
    await metric(gateway, 'chela_event_loop_lag_seconds{stat="max"}');
    const blocking = Promise.all([1, 2, 3].map(() => poke(gateway, "/zoo/block")));
    const others = Promise.all(Array.from({ length: 60 }, (_, i) => gateway.fetch(i % 2 ? "/api/version" : "/ready")));
    const turn = chat(gateway, "/echo meanwhile");
    expect((await blocking).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set((await others).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await turn).status).toBe(200);
    expect(await socket.next()).toMatchObject({ type: "ready" });
    expect(await metric(gateway, 'chela_event_loop_lag_seconds{stat="max"}')).toBeGreaterThan(0.2);
    await stop(gateway);
  });
});

describe("many of them", () => {
  it("50 plugins that do nothing cost a start next to nothing", async () => {
    const nothing = Array.from({ length: 50 }, (_, n) =>
      definePlugin({ id: `noop-${n}`, version: "1.0.0", host: "^1.0.0", setup: () => undefined }),
    );
    await using host = await startHost({ plugins: nothing });
    assertCheap(host.gateway.startup(), 50);
  });

  it("nor do they from disk", async () => {
    const gateway = await startGateway();
    for (let n = 0; n < 8; n += 1) await result(gateway, "plugins.install", { source: noop(`noop-${n}`) });
    await stop(gateway);
    const again = await startGateway({ stateDir: gateway.stateDir });
    assertCheap(await result(again, "gateway.startup"), 8);
    await stop(again);
  });

  it("200 sockets of a plugin that restarts are all closed with 1012, each time, and leave nothing behind", async () => {
    const gateway = await startGateway();
    const url = `${gateway.url.replace("http", "ws")}/api/logs/live`;
    const memory: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const codes = await Promise.all(Array.from({ length: 200 }, () => opened(url, gateway.token)));
      expect(await result(gateway, "gateway.status")).toMatchObject({ sockets: 200 });
      await result(gateway, "plugins.reload", { id: "logs" });
      expect(new Set(await Promise.all(codes.map(({ closed }) => closed)))).toEqual(new Set([1012]));
      expect(await result(gateway, "gateway.status")).toMatchObject({ sockets: 0 });
      memory.push(await metric(gateway, residentBytes));
    }
    expect(Math.min(...memory.slice(3)) - Math.max(...memory.slice(0, 3))).toBeLessThan(16_000_000);
    await stop(gateway);
  });
});

function assertCheap(rows: readonly { id: string; ms: number; state: string }[], count: number): void {
  const noops = rows.filter(({ id }) => id.startsWith("noop-"));
  const cost = noops.map(({ ms }) => ms).sort((a, b) => a - b);
  expect(noops.map(({ state }) => state)).toEqual(Array(count).fill("running"));
  expect(cost[Math.floor(count / 2)]).toBeLessThan(10);
  expect(cost.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(count * 20);
}

function noop(id: string): string {
  const folder = tempDir("noop");
  const pkg = { name: id, version: "1.0.0", type: "module", exports: "./index.js", chela: { id, host: "^1.0.0" } };
  const code = `import { definePlugin } from "@chela/sdk";
export default definePlugin({ id: "${id}", version: "1.0.0", host: "^1.0.0", setup() {} });
`;
  writeTree(folder, { "package.json": JSON.stringify(pkg), "index.js": code });
  return folder;
}

/** The inner promise stays wrapped: it settles with the close, not with the opening. */
function opened(url: string, token: string): Promise<{ closed: Promise<number> }> {
  const ws = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const closed = new Promise<number>((resolve) => ws.once("close", resolve));
  return new Promise((resolve, reject) => ws.once("open", () => resolve({ closed })).once("error", reject));
}

async function metric(gateway: RunningGateway, name: string): Promise<number> {
  const lines = (await (await gateway.fetch("/metrics")).text()).split("\n");
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1));
}
