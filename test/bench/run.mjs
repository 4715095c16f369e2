/**
 * `npm run bench [case…]`: measures what the design promises, as ratios against bare servers in the same run. Prints the
 * table and writes `results/latest.json`. Wants a quiet machine; a single row can be run again by naming its case.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "./lib/numbers.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const known = readdirSync(join(folder, "cases")).map((file) => file.replace(/\.mjs$/, ""));
const order = [
  "start",
  "memory",
  "json",
  "forward",
  "turn",
  "change",
  "reload",
  "plugins",
  "fanout",
  "history",
  "soak",
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`there is no case ${unknown.join(", ")}; the cases are ${order.join(", ")}`);
  process.exit(2);
}

const names = asked.length > 0 ? asked : [...order, ...known.filter((name) => !order.includes(name))];
const rows = [];
for (const name of names) {
  process.stderr.write(`${name} …\n`);
  const { measure } = await import(`./cases/${name}.mjs`);
  const measured = await measure().catch((error) => [{ figure: name, target: "runs", ok: false, note: error.message }]);
  for (const row of measured) rows.push({ case: name, ...row });
}

console.log(table(rows));
const missed = rows.filter((row) => !row.ok);
console.log(
  `\n${rows.length - missed.length} of ${rows.length} targets met (load average before the end: ${loadavg()[0].toFixed(1)})`,
);

const results = join(folder, "results");
mkdirSync(results, { recursive: true });
const path = join(results, "latest.json");
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const kept = asked.length > 0 ? earlierRows(path).filter((row) => !names.includes(row.case)) : [];
const report = { at: new Date().toISOString(), machine, rows: [...kept, ...rows] };
writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
process.exit(0);

/** A run of some cases keeps the rows of the others. */
function earlierRows(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).rows;
  } catch {
    return [];
  }
}
