/** The simulated upstream by hand: `node test/simulators/openai/run.mjs [port]`. POST /control {model, behaviour} changes it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "chela-upstream-"));
const outfile = join(folder, "upstream.mjs");
await build({
  entryPoints: [fileURLToPath(new URL("./upstream.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "error",
});
const { startUpstream } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true, force: true });
const upstream = await startUpstream({ port: Number(process.argv[2] ?? 18999) });
console.log(`api_base: ${upstream.base}`);
