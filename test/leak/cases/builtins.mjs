/**
 * Every built-in plugin, off and on while the others use what it provides: none of its instances outlives it, and the heap
 * does not grow.
 */
import { startHost } from "../../../dist/sdk/testing.js";
import { builtins, settledHeap } from "../lib.mjs";

export const name = "on/off cycles of every built-in plugin";

/** Of each plugin; more than 1,000 in all. 1,000 of each by hand: CHELA_LEAK_CYCLES=1000. */
const cycles = Number(process.env.CHELA_LEAK_CYCLES ?? 80);
const useEvery = 8;
const warmUp = Math.ceil(cycles / 4);
/** With everything that needs it: an instance that is kept costs hundreds of kilobytes. */
const mostBytesPerCycle = 24_576;

export async function run() {
  const refs = new Map();
  const plugins = (await builtins()).map((plugin) => watched(plugin, refs));
  const host = await startHost({ plugins, env: { CHELA_DISCOVERY: "off" } });
  const grown = [];
  for (const { id } of plugins) {
    let before = 0;
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await host.plugins.disable(id, "leak test");
      await host.plugins.enable(id, "leak test");
      if (cycle % useEvery === 0) await use(host);
      host.logs().splice(0);
      if (cycle === warmUp) before = await settledHeap();
    }
    const perCycle = Math.round(((await settledHeap()) - before) / (cycles - warmUp - 1));
    if (perCycle > mostBytesPerCycle) grown.push(`${id}: ${perCycle} bytes per cycle`);
  }
  const kept = [...refs].map(([id, all]) => [id, all.filter((ref) => ref.deref()).length]).filter(([, n]) => n > 1);
  const made = [...refs.values()].reduce((sum, all) => sum + all.length, 0);
  await host.stop();
  if (kept.length > 0)
    throw new Error(`instances alive: ${kept.map(([id, n]) => `${id} ${n}`).join(", ")} instead of 1`);
  if (grown.length > 0) throw new Error(`the heap grows with each cycle of ${grown.join(", ")}`);
  return `${made} instances of ${plugins.length} plugins, one of each alive`;
}

/** What reaches through optional needs: the workspace in prompts and tools, the database in both, usage, limits, the relay. */
async function use(host) {
  const asks = [
    ["/api/chat", { session: "leak", message: "/echo hello" }],
    ["/v1/chat/completions", { model: "offline/offline", messages: [{ role: "user", content: "/echo x" }] }],
    ["/tools/invoke", { tool: "list_dir", args: {} }],
    ["/tools/invoke", { tool: "memory_search", args: { query: "leak" } }],
    ["/api/tools/audit"],
    ["/api/provider/runtime"],
  ];
  for (const [path, body] of asks) {
    const { status, text } = await host.request(path, body && { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }
}

/** Everything that an instance registers holds its context. */
function watched(plugin, refs) {
  const own = [];
  refs.set(plugin.id, own);
  const setup = (ctx) => {
    own.push(new WeakRef(ctx));
    return plugin.setup(ctx);
  };
  return { ...plugin, setup };
}
