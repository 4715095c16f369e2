/** A relay client by hand: `node test/simulators/relay/run.mjs GATEWAY TOKEN [PROVIDER [ORIGIN]]`; ORIGIN takes the place of every URL's. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = mkdtempSync(join(root, "node_modules/.relay-"));
const outfile = join(folder, "client.mjs");
await build({
  entryPoints: [fileURLToPath(new URL("./client.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  external: ["ws"],
  logLevel: "error",
});
const { relayClient } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true, force: true });
const [gateway = "http://127.0.0.1:18790", token = "", provider, origin] = process.argv.slice(2);
const client = await relayClient({ gateway, token, provider, origin });
console.log(`connected to ${gateway} as ${provider ?? "aistudio"}`);
client.ws.on("message", (data) => console.log(String(data).slice(0, 200)));
console.log(await client.closed);
