/**
 * `npm run test:leak` (node --expose-gc): every case of `cases/` on the built host, each in turn, or those that are named.
 * A case throws when something stays alive that should have gone.
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cases = fileURLToPath(new URL("cases", import.meta.url));

if (typeof globalThis.gc !== "function") throw new Error("run with node --expose-gc");
if (!existsSync(fileURLToPath(new URL("../../dist/sdk/testing.js", import.meta.url))))
  throw new Error("run npm run build first");

let failed = 0;
const named = process.argv.slice(2);
for (const file of named.length > 0 ? named : readdirSync(cases).sort()) {
  const { name, run } = await import(`./cases/${file}`);
  const from = performance.now();
  try {
    const said = await run();
    console.log(`ok   ${name} (${said}; ${((performance.now() - from) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL ${name}: ${error.message}`);
  }
}
console.log(failed === 0 ? "no leaks" : `${failed} leaks`);
process.exit(failed === 0 ? 0 : 1);
