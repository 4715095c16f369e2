/** The sentinel's tables: rows of its looks, and the incidents. Times are milliseconds since 1970. */
import type { Migration } from "@chela/sdk";

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE health_checks (
        at BIGINT NOT NULL, status TEXT NOT NULL, response_time_ms INTEGER NOT NULL, cpu DOUBLE PRECISION NOT NULL,
        mem BIGINT NOT NULL, error TEXT NOT NULL
      )`,
      "CREATE INDEX health_checks_by_time ON health_checks (at)",
      `CREATE TABLE incidents (
        id TEXT NOT NULL PRIMARY KEY, check_name TEXT, plugin TEXT NOT NULL, message TEXT NOT NULL,
        started BIGINT NOT NULL, ended BIGINT, outcome TEXT, alerts INTEGER NOT NULL
      )`,
      "CREATE INDEX incidents_by_time ON incidents (started)",
    ],
  },
];

const places = (count: number) => Array.from({ length: count }, () => "?").join(", ");

export const insertCheck = `INSERT INTO health_checks (at, status, response_time_ms, cpu, mem, error) VALUES (${places(6)})`;
export const putIncident = `INSERT INTO incidents (id, check_name, plugin, message, started, ended, outcome, alerts)
  VALUES (${places(8)}) ON CONFLICT (id) DO UPDATE SET
  ended = excluded.ended, outcome = excluded.outcome, alerts = excluded.alerts`;
export const newestIncidents = `SELECT id, check_name AS "check", plugin, message, started, ended, outcome, alerts
  FROM incidents ORDER BY started DESC LIMIT ?`;
/** What an earlier process left open ended, as far as anybody knows, with the last look that it took. */
export const interruptOpen = `UPDATE incidents SET outcome = 'interrupted',
  ended = (SELECT COALESCE(MAX(at), 0) FROM health_checks) WHERE ended IS NULL`;
export const mendEnds = "UPDATE incidents SET ended = started WHERE ended < started";
