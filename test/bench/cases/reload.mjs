/** 100 reloads and 20 toggles of a plugin at 500 requests/s and 200 open streams of others: nothing may break. */
import { Agent, request } from "node:http";
import { WebSocket } from "ws";
import { sleep } from "../lib/load.mjs";
import { startGateway, token } from "../lib/processes.mjs";

const authorization = `Bearer ${token}`;
const paths = ["/api/version", "/api/config", "/v1/models", "/api/chat/history?session=main", "/health"];

export async function measure() {
  const gateway = await startGateway();
  const streams = await openStreams(gateway.port, 200);
  const traffic = startTraffic(gateway.port, 500);
  for (let round = 0; round < 100; round += 1) {
    // A hot key, and one that restarts a plugin.
    const [path, value] =
      round % 2 === 0 ? ["logging.retention_days", 4 + (round % 4)] : ["logging.filename", `bench-${round}.log`];
    await gateway.call("config.set", { path, value });
  }
  for (let round = 0; round < 20; round += 1) {
    await gateway.call(round % 2 === 0 ? "plugins.disable" : "plugins.enable", { id: "metrics" });
  }
  await sleep(300);
  const { sent, failed, seconds } = await traffic.stop();
  const broken = streams.filter((stream) => stream.readyState !== WebSocket.OPEN).length;
  for (const stream of streams) stream.terminate();
  await gateway.stop();
  const note = `${sent} requests in ${seconds.toFixed(1)} s (${Math.round(sent / seconds)}/s)`;
  return [
    {
      figure: "reload under load, failed requests",
      value: failed.length,
      target: "0",
      ok: failed.length === 0,
      note: failed.length > 0 ? `${note}; first: ${failed[0]}` : note,
    },
    { figure: "reload under load, broken streams", value: broken, target: "0 of 200", ok: broken === 0 },
  ];
}

async function openStreams(port, count) {
  const open = () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events/live`, { headers: { authorization } });
      socket.once("open", () => resolve(socket));
      socket.once("error", reject);
    });
  return Promise.all(Array.from({ length: count }, open));
}

/** Requests at a fixed rate, whether the earlier ones were answered or not. */
function startTraffic(port, perSecond) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const from = performance.now();
  const failed = [];
  const pending = new Set();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - from) / 1000) * perSecond);
    for (; sent < due; sent += 1) {
      const path = paths[sent % paths.length];
      const answer = ask(agent, port, path).then((problem) => problem && failed.push(`${path} ${problem}`));
      pending.add(answer.finally(() => pending.delete(answer)));
    }
  }, 4);
  const stop = async () => {
    clearInterval(timer);
    const seconds = (performance.now() - from) / 1000;
    await Promise.all(pending);
    agent.destroy();
    return { sent, failed, seconds };
  };
  return { stop };
}

function ask(agent, port, path) {
  return new Promise((resolve) => {
    const req = request({ agent, port, host: "127.0.0.1", path, headers: { authorization } }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode === 200 ? "" : String(res.statusCode)));
      res.on("error", (error) => resolve(error.code));
    });
    // A kept-alive connection that the server closes between two requests is the client's to retry, as fetch does.
    req.on("error", (error) =>
      resolve(error.code === "ECONNRESET" && req.reusedSocket ? ask(agent, port, path) : error.code),
    );
    req.end();
  });
}
