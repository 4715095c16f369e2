/** How long one change takes on a gateway at rest: a plugin off and on, and a hot key, by the API and by editing the file. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { sleep } from "../lib/load.mjs";
import { quantile } from "../lib/numbers.mjs";
import { startGateway, token } from "../lib/processes.mjs";

const debounceMs = 100;
/** Between two changes: until the watcher has seen the one before. */
const restMs = 150;

export async function measure() {
  const gateway = await startGateway();
  const off = [];
  const on = [];
  for (let round = 0; round < 20; round += 1) {
    off.push(await timed(() => gateway.call("plugins.disable", { id: "metrics" })));
    on.push(await timed(() => gateway.call("plugins.enable", { id: "metrics" })));
  }
  const hot = [];
  for (let round = 0; round < 30; round += 1) {
    hot.push(await timed(() => gateway.call("config.set", { path: "logging.retention_days", value: 4 + (round % 2) })));
  }
  const edits = await fileEdits(gateway, 20);
  await gateway.stop();
  return [
    row("plugin off", off, 20),
    row("plugin on", on, 20),
    row("hot config change, by editing the file (after the debounce)", edits, 5),
    row("hot config change, by API (locked, backed up, synced to disk)", hot, 5),
  ];
}

function row(figure, samples, limit) {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = quantile(sorted, 0.5);
  const note = `p95 ${quantile(sorted, 0.95).toFixed(1)} ms`;
  return { figure, value, unit: "ms", target: `≤ ${limit} ms`, ok: value <= limit, note };
}

async function timed(work) {
  await sleep(restMs);
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** From the write to the `config_changed` event, less the debounce. */
async function fileEdits({ port, stateDir }, rounds) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events/live`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const waiting = [];
  socket.on("message", (data) => {
    if (JSON.parse(data).type === "config_changed") waiting.shift()?.(performance.now());
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const path = join(stateDir, "config.json");
  const samples = [];
  for (let round = 0; round < rounds; round += 1) {
    await sleep(restMs);
    const text = readFileSync(path, "utf8").replace(/"retention_days": \d+/, `"retention_days": ${10 + round}`);
    const seen = new Promise((resolve) => waiting.push(resolve));
    const from = performance.now();
    writeFileSync(path, text);
    samples.push((await seen) - from - debounceMs);
  }
  socket.close();
  return samples;
}
