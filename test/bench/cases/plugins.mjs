/** What 50 more plugins cost that do nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../lib/load.mjs";
import { inTurns } from "../lib/numbers.mjs";
import { residentMb, startGateway } from "../lib/processes.mjs";

const count = 50;

export async function measure() {
  const work = mkdtempSync(join(tmpdir(), "chela-bench-plugins-"));
  const plain = join(work, "plain");
  const full = join(work, "full");
  for (const folder of [plain, full]) mkdirSync(folder);
  await installAll(full, work);
  const start = (stateDir) => async () => {
    const gateway = await startGateway({ stateDir });
    await gateway.stop();
    return gateway.startMs;
  };
  const idle = (stateDir) => async () => {
    const gateway = await startGateway({ stateDir });
    await sleep(3000);
    const mb = residentMb(gateway.pid);
    await gateway.stop();
    return mb;
  };
  const times = await inTurns(9, start(plain), start(full));
  const memory = await inTurns(3, idle(plain), idle(full));
  rmSync(work, { recursive: true, force: true });
  const ms = (times.ours - times.bare) / count;
  const mb = (memory.ours - memory.bare) / count;
  return [
    {
      figure: "50 no-op plugins, start each",
      value: ms,
      unit: "ms",
      bare: times.bare,
      target: "≤ + 1 ms",
      ok: ms <= 1,
      note: `${times.ours.toFixed(0)} ms with them`,
    },
    {
      figure: "50 no-op plugins, memory each",
      value: mb,
      unit: "MB",
      bare: memory.bare,
      target: "≤ + 0.2 MB",
      ok: mb <= 0.2,
      note: `${memory.ours.toFixed(0)} MB with them`,
    },
  ];
}

async function installAll(stateDir, work) {
  const gateway = await startGateway({ stateDir });
  for (let number = 0; number < count; number += 1) {
    const id = `noop-${number}`;
    const source = join(work, id);
    mkdirSync(source);
    const chela = { id, host: "^1.0.0" };
    const peerDependencies = { "@chela/sdk": "^1.0.0" };
    writeFileSync(
      join(source, "package.json"),
      JSON.stringify({ name: id, version: "1.0.0", type: "module", exports: "./index.js", peerDependencies, chela }),
    );
    writeFileSync(
      join(source, "index.js"),
      `import { definePlugin } from "@chela/sdk";\nexport default definePlugin({ id: "${id}", version: "1.0.0", host: "^1.0.0", setup() {} });\n`,
    );
    await gateway.call("plugins.install", { source });
  }
  const running = (await gateway.call("plugins.list")).filter(
    (row) => row.id.startsWith("noop-") && row.state === "running",
  );
  await gateway.stop();
  if (running.length !== count) throw new Error(`only ${running.length} of ${count} no-op plugins run`);
}
