/** Everything at once while everything changes: agent turns with tools, both faces, files, searches, two hundred sockets. */
import { connectTo, type TestSocket } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { call, result, writeConfig } from "../faults/kit.ts";
import { until } from "../kit/until.ts";
import { relayClient } from "../simulators/relay/client.ts";
import { checkSessions } from "./mix/check.ts";
import { doJob, Ledger } from "./mix/jobs.ts";
import { startPace } from "./mix/pace.ts";
import { calmServer, type Rig, startRig, toolNames } from "./mix/rig.ts";

const patience = 30_000;

async function open(rig: Rig, path: (i: number) => string, count: number): Promise<TestSocket[]> {
  const { url, token } = rig.gateway;
  const headers = { authorization: `Bearer ${token}` };
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, i) => connectTo(url.replace("http", "ws") + path(i), headers)),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.close();
  });
  return sockets;
}

/** One change of each kind that may happen to a gateway in use. */
async function changeEverything({ gateway, stateDir }: Rig, round: number): Promise<void> {
  for (const value of [
    { agents: { defaults: { max_tool_iterations: 20 + round } } },
    { models: { request_timeout_sec: 300 + round } },
    { tools: { web: { fetch: { timeout_sec: 10 + round } } } },
    { usage: { retention_days: 90 + round } },
    { logging: { retention_days: 3 + round } },
  ]) {
    const { status, text } = await writeConfig(gateway, value);
    expect(status, text).toBe(200);
  }
  for (const id of ["metrics", "logs"]) {
    await result(gateway, "plugins.disable", { id });
    await result(gateway, "plugins.enable", { id });
  }
  const other = calmServer(`${stateDir}/pids`, { env: { ROUND: String(round) } });
  const edited = await call(gateway, "config.set", { path: "tools.mcp.servers.other", value: other });
  expect(edited.status, edited.text).toBe(200);
  await result(gateway, "keys.limit", { name: "app", limits: { rpm: 1000 + round } });
}

it("config, unrelated plugins, MCP servers and key limits change under load: nothing fails, is lost or doubled", async () => {
  const rig = await startRig();
  const ledger = new Ledger();
  await result(rig.gateway, "keys.add", { name: "app", scopes: ["write"] });
  const chats = await open(rig, (i) => `/api/chat/live?multi=1&session=live-${i}`, 100);
  const relays = await open(rig, (i) => `/v1/ws?provider=p${i}`, 30);
  const others = await open(rig, (i) => (i < 40 ? "/api/events/live" : "/api/approvals/live"), 70);
  let broken = 0;
  for (const socket of [...chats, ...relays, ...others]) {
    void socket.closed.then(() => {
      broken += 1;
    });
  }
  const pace = startPace(() => doJob({ gateway: rig.gateway, ledger, n: ledger.next() }), 500, 48);
  await until(() => pace.done > 50, patience);
  for (let round = 1; round <= 3; round += 1) await changeEverything(rig, round);
  await pace.end();
  expect(pace.failures).toEqual([]);
  expect(broken).toBe(0);
  await checkSessions(rig.gateway, ledger);
  for (const [i, chat] of chats.entries()) chat.send({ message: `/echo still ${i}` });
  for (const [i, chat] of chats.entries()) {
    let said = "";
    await until(async () => {
      said += ((await chat.next(patience)) as { delta?: string }).delta ?? "";
      return said === `still ${i}`;
    }, patience);
  }
  for (const relay of relays) relay.send({ id: "x", type: "ping" });
  for (const relay of relays) expect(await relay.next(patience)).toMatchObject({ id: "x", type: "pong" });
}, 180_000);

/** What a client may be told while this one is off, beside that there is no such page. */
const meanwhile: Readonly<Record<string, RegExp>> = {
  tools: /The tool \\"\w+\\" is not offered here/,
  workspace: /The tool \\"\w+\\" is not offered here/,
  mcp: /The tool \\"\w+\\" is not offered here|Tool not available: mcp__calm__parrot/,
};
const refused = /: (?:404 404 page not found|503 )/;

it("plugins that everything needs are switched off and on under load: clear refusals, no turn hangs, all is back", async () => {
  const rig = await startRig();
  const ledger = new Ledger();
  const { gateway } = rig;
  for (const id of ["chat", "providers", "tools", "workspace", "usage", "mcp", "relay"]) {
    const client = await relayClient({ gateway: gateway.url, token: gateway.token, provider: "page" });
    const pace = startPace(() => doJob({ gateway, ledger, n: ledger.next() }), 200, 16);
    await until(() => pace.done > 20, patience);
    await result(gateway, "plugins.disable", { id });
    const off = pace.done;
    await until(() => pace.done > off + 40, patience);
    await result(gateway, "plugins.enable", { id });
    await pace.end();
    const unclear = pace.failures.filter((text) => !refused.test(text) && !meanwhile[id]?.test(text));
    expect(unclear, id).toEqual([]);
    if (id === "relay") expect((await client.closed).code).toBe(1012);
    client.close();
    await until(async () => (await toolNames(gateway)).includes("mcp__calm__parrot"), patience, "the MCP tool");
    const again = startPace(() => doJob({ gateway, ledger, n: ledger.next() }), 200, 16);
    await until(() => again.done > 30, patience);
    await again.end();
    expect(again.failures, `after ${id}`).toEqual([]);
  }
  await checkSessions(gateway, ledger);
}, 240_000);
