/** Lines as a file: one object of JSON in each, as the gateway writes them. */
import type { Line } from "./log-line.ts";

export function save(lines: readonly Line[]): void {
  const text = lines.map(({ entry }) => `${JSON.stringify(entry)}\n`).join("");
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `chela-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.log`;
  link.click();
  // The browser has to have begun to read it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
