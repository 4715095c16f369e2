/** 1,000 on/off cycles of one plugin, used in between, leave none of its closures and no growing heap. */
import { startHost } from "../../../dist/sdk/testing.js";
import { collect, heap, witness } from "../lib.mjs";

export const name = "1,000 on/off cycles of a plugin";

const cycles = 1000;
const warmUp = 300;
/** A kept generation or instance costs tens of kilobytes; the bounded memories (events, log lines) fill up with far less. */
const mostBytesPerCycle = 4096;

export async function run() {
  const { plugin, made, alive } = witness();
  const host = await startHost({ plugins: [plugin] });
  let before = 0;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    await host.plugins.disable("witness", "leak test");
    await host.plugins.enable("witness", "leak test");
    if (cycle % 50 === 0) await use(host);
    // The kit remembers every line for its test; that is no leak of the host's.
    host.logs().splice(0);
    if (cycle === warmUp) {
      await collect();
      before = heap();
    }
  }
  await host.plugins.disable("witness", "leak test");
  await collect();
  const perCycle = (heap() - before) / (cycles - warmUp);
  const left = alive();
  await host.stop();
  if (made() !== cycles + 1) throw new Error(`${made()} instances were set up instead of ${cycles + 1}`);
  if (left > 0) throw new Error(`${left} of ${made()} instances are still alive after the plugin is off`);
  if (perCycle > mostBytesPerCycle) throw new Error(`the heap grows by ${Math.round(perCycle)} bytes per cycle`);
  return `0 of ${made()} instances alive, ${Math.round(perCycle)} bytes per cycle`;
}

async function use(host) {
  const reply = await host.request("/api/witness");
  if (reply.status !== 200) throw new Error(`the plugin's route answers ${reply.status}`);
  const socket = await host.connect("/api/witness/live");
  await socket.next();
  socket.close();
  await socket.closed;
}
