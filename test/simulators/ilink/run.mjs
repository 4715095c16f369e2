/**
 * The simulated iLink by hand: `node test/simulators/ilink/run.mjs [holdMs]`. Its addresses are printed; the verbs of
 * control.ts are `curl -d '["", {}]' BASE/_sim/confirm`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "chela-ilink-"));
const outfile = join(folder, "server.mjs");
await build({
  entryPoints: [fileURLToPath(new URL("./server.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "error",
});
const { startSim } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true, force: true });
const { apiBase, altApiBase } = await startSim({ qrHoldMs: Number(process.argv[2] ?? 20_000) });
console.log(JSON.stringify({ apiBase, altApiBase }));
