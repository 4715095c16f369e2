#!/usr/bin/env node
/**
 * Builds `dist/`: the binary, one entry per built-in plugin, the SDK with its types, the WebUI, and the manifests of the built-ins.
 * The same sources give the same bytes; only files that changed are written, so a running gateway is not disturbed.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeBuiltins } from "./build/builtins.mjs";
import { bundle } from "./build/bundle.mjs";
import { thirdPartyNotices } from "./build/licenses.mjs";
import { alone } from "./build/lock.mjs";
import { writeOutputs } from "./build/output.mjs";
import { sdkPackage, sdkTypes } from "./build/sdk-types.mjs";
import { webui } from "./build/webui.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

async function main() {
  const started = performance.now();
  const plugins = pluginFolders();
  const [{ files, metafile }, types, page] = await Promise.all([
    bundle({ root, dist, plugins }),
    sdkTypes({ root, dist }),
    webui({ root, dist }),
  ]);
  const outputs = new Map([...files, ...types, ...page.files]);
  outputs.set(join(dist, "sdk/package.json"), sdkPackage(root));
  outputs.set(
    join(dist, "THIRD-PARTY-LICENSES.txt"),
    thirdPartyNotices(root, [...Object.keys(metafile.inputs), ...page.inputs]),
  );
  const written = writeOutputs(dist, outputs, ["builtins.json"]);
  const manifests = await writeBuiltins({ root, dist, plugins });
  report(outputs, { written: written + manifests, ms: performance.now() - started, plugins });
}

/** Every folder below `plugins/` is a built-in plugin; one that is not buildable is an error, not a gap. */
function pluginFolders() {
  return readdirSync(join(root, "plugins"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Shown as one line each. */
const folders = ["sdk/types", "chunks", "webui"];

function report(outputs, { written, ms, plugins }) {
  const groups = new Map();
  for (const [path, content] of outputs) {
    const name = path.slice(dist.length + 1);
    const group = folders.find((folder) => name.startsWith(`${folder}/`)) ?? name;
    const sum = groups.get(group) ?? { bytes: 0, count: 0 };
    sum.bytes += content.length;
    sum.count += 1;
    groups.set(group, sum);
  }
  for (const [name, { bytes, count }] of [...groups].sort()) {
    const size = `${(bytes / 1024).toFixed(1)} kB`.padStart(11);
    console.log(`${size}  ${name}${count > 1 ? ` (${count} files)` : ""}`);
  }
  console.log(`built ${plugins.length} plugins in ${(ms / 1000).toFixed(2)} s, ${written} files changed`);
}

await alone(root, main);
