/** What leak cases share: a plugin that registers one of everything, and counting what survives a collection. */
import { readdirSync } from "node:fs";
import { definePlugin, defineService, Type } from "../../dist/sdk/index.js";

const thing = defineService("leak-thing", "1.0.0");

/**
 * A plugin whose every registration closes over `kept`, an object of 10 kB per instance; `alive()` counts the
 * instances whose object the collector could not free.
 */
export function witness(id = "witness") {
  const refs = [];
  const plugin = definePlugin({
    id,
    version: "1.0.0",
    host: "^1.0.0",
    config: Type.Object({ hot: Type.Integer({ default: 1 }), cold: Type.Integer({ default: 1 }) }),
    hot: ["hot"],
    provides: [thing],
    setup(ctx) {
      const kept = { bytes: new Uint8Array(10_000) };
      refs.push(new WeakRef(kept));
      const size = () => ({ size: kept.bytes.length });
      ctx.route({ method: "GET", path: `/api/${id}`, access: "read", query: Type.Object({}), handler: size });
      ctx.stream({ path: `/api/${id}/live`, access: "read", open: (socket) => void socket.send(size()) });
      ctx.method({ name: `${id}.size`, access: "read", params: Type.Object({}), handler: size });
      ctx.tool({ name: id, about: "size", input: Type.Object({}), risk: "read", access: "read", run: size });
      ctx.command({ name: id, about: "size", access: "read", run: size });
      ctx.on("turn:done", async () => void size());
      ctx.on("http:reply", (reply) => (size().size > 0 ? undefined : reply));
      ctx.health(id, () => ({ ok: true, ...size() }));
      ctx.provide(thing, { size });
      ctx.onConfig(() => void size());
      ctx.own("kept", () => void size());
      ctx.start(() => ctx.own("started", () => void size()));
      ctx.every(60_000, () => void size());
    },
  });
  return { plugin, made: () => refs.length, alive: () => refs.filter((ref) => ref.deref() !== undefined).length };
}

/** Collects until nothing more goes: finalisers and promise reactions need a turn of the loop each. */
export async function collect() {
  for (let round = 0; round < 6; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
}

export function heap() {
  return process.memoryUsage().heapUsed;
}

export async function settledHeap() {
  await collect();
  return heap();
}

/** The plugins of the build, as objects. */
export async function builtins() {
  const folder = new URL("../../dist/plugins/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return Promise.all(files.map(async (file) => (await import(new URL(file, folder))).default));
}
