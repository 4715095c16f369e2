/** Small statistics and the table. */

/** Of a sorted list. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values) {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** Runs the yardstick and the gateway in turns, so that a slow moment of the machine hits both; medians of `pick`. */
export async function inTurns(rounds, bare, ours) {
  const results = { bare: [], ours: [] };
  for (let round = 0; round < rounds; round += 1) {
    results.bare.push(await bare());
    results.ours.push(await ours());
  }
  return { bare: median(results.bare), ours: median(results.ours), all: results };
}

/** `1234.5` as people read it. */
export function show(value, unit = "") {
  if (value === undefined || value === null) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}${unit === "" ? "" : ` ${unit}`}`;
}

export function table(rows) {
  const lines = rows.map((row) => [
    row.figure,
    show(row.value, row.unit),
    show(row.bare, row.bare === undefined ? "" : (row.bareUnit ?? row.unit)),
    row.ratio === undefined ? "–" : `${row.ratio.toFixed(2)}`,
    row.target,
    row.ok ? "yes" : "NO",
    row.note ?? "",
  ]);
  const head = ["figure", "measured", "bare", "ratio", "target", "met", "note"];
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column].length)));
  const print = (line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd();
  return [print(head), widths.map((width) => "-".repeat(width)).join("  "), ...lines.map(print)].join("\n");
}
