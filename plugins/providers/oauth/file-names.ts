/** Names of account files: ClawGo's, and never a name that is taken. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AccountFiles } from "./account-files.ts";
import { labelOf, type Session } from "./session.ts";

export interface NameChoice {
  /** The provider has no account yet. */
  readonly first: boolean;
  readonly now: number;
}

/** The first account is called like its vendor, later ones after their label and the time. */
export function freeName(files: AccountFiles, vendor: string, session: Session, { first, now }: NameChoice): string {
  const plain = join(files.folder, `${slug(vendor) || "account"}.json`);
  if (first && !existsSync(plain)) return plain;
  const stamp = new Date(now).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const base = `${slug(labelOf(session)) || slug(vendor) || "account"}-${stamp}`;
  for (let count = 1; ; count += 1) {
    const path = join(files.folder, `${base}${count === 1 ? "" : `-${count}`}.json`);
    if (!existsSync(path)) return path;
  }
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 64)
    .replace(/^-+|-+$/g, "");
}
