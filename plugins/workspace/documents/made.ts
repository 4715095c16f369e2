/** The ledger of workspaces that have got their first documents: root → hash of each document as it was made. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export const ledger = "workspaces.json";

export type Made = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A ledger that is damaged counts as empty. */
export async function readMade(dataDir: string): Promise<Made> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dataDir, ledger), "utf8"));
    return typeof value === "object" && value !== null ? (value as Made) : {};
  } catch {
    return {};
  }
}
