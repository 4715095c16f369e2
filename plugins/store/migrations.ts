/**
 * Numbered migrations per owner. What was applied is recorded with a checksum in the same transaction; a database that is
 * ahead of the list, or that was built from an edited list, is refused before anything is touched.
 */
import { createHash } from "node:crypto";
import { GatewayError, type Migration } from "@chela/sdk";
import { type Database, refuseReserved } from "./database.ts";

export const migrationsTable = `CREATE TABLE IF NOT EXISTS chela_migrations (
  owner TEXT NOT NULL,
  version INTEGER NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT NOT NULL,
  PRIMARY KEY (owner, version)
)`;

/** The migrations that `owner` still needs. Throws `STORE_NEWER`, `STORE_EDITED` or, for a bad list, `STORE_MIGRATION`. */
export function pendingMigrations(
  database: Database,
  owner: string,
  migrations: readonly Migration[],
): readonly Migration[] {
  assertNumbered(owner, migrations);
  const applied = database.all("SELECT version, checksum FROM chela_migrations WHERE owner = ? ORDER BY version", [
    owner,
  ]);
  for (const { version, checksum } of applied) {
    const known = migrations[Number(version) - 1];
    if (!known) throw newer(owner, applied.length, migrations.length);
    if (checksumOf(known) !== checksum) {
      const message = `migration ${version} of "${owner}" was edited after it had been applied: put it back and add a new one`;
      throw new GatewayError("STORE_EDITED", 500, message, { owner, version: Number(version) });
    }
  }
  return migrations.slice(applied.length);
}

/** Runs inside the caller's transaction. */
export function applyMigration(database: Database, owner: string, migration: Migration): void {
  for (const statement of migration.statements) {
    refuseReserved(statement);
    database.exec(statement);
  }
  const values = [owner, migration.version, checksumOf(migration), Date.now()];
  database.run("INSERT INTO chela_migrations (owner, version, checksum, applied_at) VALUES (?, ?, ?, ?)", values);
}

function assertNumbered(owner: string, migrations: readonly Migration[]): void {
  for (const [index, { version }] of migrations.entries()) {
    if (version === index + 1) continue;
    const message = `the migrations of "${owner}" must be numbered 1, 2, 3 …: number ${index + 1} is called ${version}`;
    throw new GatewayError("STORE_MIGRATION", 500, message, { owner });
  }
}

function newer(owner: string, found: number, known: number): GatewayError {
  const message = `the database holds version ${found} of "${owner}", this program knows ${known}: run the newer program, or restore a backup from before the upgrade`;
  return new GatewayError("STORE_NEWER", 500, message, { owner, found, known });
}

function checksumOf({ statements }: Migration): string {
  return createHash("sha256").update(statements.join("\u0000")).digest("hex");
}
