/** 1,000 WebSocket subscribers, one event: when has the last of them got it? */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { sleep } from "../lib/load.mjs";
import { quantile } from "../lib/numbers.mjs";
import { startGateway, startServer, token } from "../lib/processes.mjs";

const subscribers = 1000;
const rounds = 40;

export async function measure() {
  const bareServer = await startServer("bare-ws.mjs");
  const bare = await lastDelivery(bareServer.port, "/", () =>
    fetch(`http://127.0.0.1:${bareServer.port}/`, { method: "POST", body: "{}" }),
  );
  await bareServer.stop();
  const gateway = await startGateway();
  const source = writePlugin();
  await gateway.call("plugins.install", { source });
  const ours = await lastDelivery(gateway.port, "/api/events/live", () => gateway.call("bench.tick"));
  await gateway.stop();
  rmSync(source, { recursive: true, force: true });
  return [
    {
      figure: "1,000 subscribers, last delivery p99",
      value: ours,
      unit: "ms",
      bare,
      ratio: ours / bare,
      target: "≤ 50 ms",
      ok: ours <= 50,
    },
  ];
}

/** Emits the time with each event, so that only the delivery is measured. */
function writePlugin() {
  const source = mkdtempSync(join(tmpdir(), "chela-bench-tick-"));
  mkdirSync(source, { recursive: true });
  const chela = { id: "bench-tick", host: "^1.0.0" };
  writeFileSync(
    join(source, "package.json"),
    JSON.stringify({
      name: "bench-tick",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      peerDependencies: { "@chela/sdk": "^1.0.0" },
      chela,
    }),
  );
  writeFileSync(
    join(source, "index.js"),
    `import { definePlugin } from "@chela/sdk";
export default definePlugin({
  id: "bench-tick", version: "1.0.0", host: "^1.0.0",
  setup(ctx) {
    ctx.method({ name: "bench.tick", access: "write", handler: () => {
      ctx.emit("bench.tick", { sent: performance.timeOrigin + performance.now() });
      return {};
    } });
  },
});
`,
  );
  return source;
}

async function lastDelivery(port, path, trigger) {
  let left = 0;
  let latest = 0;
  let done = () => undefined;
  const sockets = [];
  const onMessage = (data) => {
    const frame = JSON.parse(data);
    if (frame.type !== "bench.tick") return;
    latest = Math.max(latest, performance.timeOrigin + performance.now() - frame.sent);
    left -= 1;
    if (left === 0) done();
  };
  while (sockets.length < subscribers) {
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => open(port, path, onMessage)))));
  }
  await sleep(500);
  const samples = [];
  for (let round = 0; round < rounds; round += 1) {
    left = subscribers;
    latest = 0;
    const all = new Promise((resolve) => {
      done = resolve;
    });
    await trigger();
    await all;
    samples.push(latest);
    await sleep(20);
  }
  for (const socket of sockets) socket.terminate();
  return quantile(
    samples.sort((a, b) => a - b),
    0.99,
  );
}

function open(port, path, onMessage) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers, perMessageDeflate: false });
    socket.on("message", onMessage);
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}
