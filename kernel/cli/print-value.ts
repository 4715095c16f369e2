/** Data of unknown shape for people: rows of records as a table, a record as lines, the rest as JSON. */
import { isObject } from "@chela/sdk";
import type { Output } from "./output.ts";

type Row = Readonly<Record<string, unknown>>;

export async function printValue(out: Output, value: unknown): Promise<void> {
  if (value === undefined || value === null) return;
  if (typeof value === "string") out.text(`${value}\n`);
  else if (isRows(value)) await printRows(out, value);
  else if (isObject(value))
    await out.table(
      [],
      Object.entries(value).map(([key, item]) => [key, cell(item)]),
    );
  else out.line(JSON.stringify(value));
}

async function printRows(out: Output, rows: readonly Row[]): Promise<void> {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 12);
  await out.table(
    keys,
    rows.map((row) => keys.map((key) => cell(row[key]))),
  );
}

function isRows(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
