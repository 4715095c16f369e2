/** Connected clients of the relay as the runtime view shows them: in the form of accounts, and as candidates in the order in which they would be asked. */
import type { RelayRow } from "../wire/relay/channels.ts";
import type { CandidateRow } from "./rows.ts";
import { rfc3339, untilText } from "./time.ts";

type Rows = readonly RelayRow[];

export function relayAccounts(rows: Rows, wall: number): readonly Readonly<Record<string, unknown>>[] {
  return rows.map((row) => ({
    ...{ email: row.channel, account_id: row.channel, credential_file: "", account_label: row.channel },
    last_refresh: rfc3339(row.successMsAgo === null ? (row.connectedAt ?? wall) : wall - row.successMsAgo),
    ...standingOf(row, wall),
    ...(row.lastError ? { last_failure: row.lastError } : {}),
    ...{ plan_type: "relay", quota_source: "relay", balance_label: "connected" },
  }));
}

export function relayCandidates(rows: Rows, wall: number): readonly CandidateRow[] {
  return rows.map((row) => {
    const ready = row.cooldownMs === 0;
    const status = ready ? "ready" : "cooldown";
    return { kind: "relay", target: row.channel, available: ready, status, ...standingOf(row, wall) };
  });
}

function standingOf({ cooldownMs, failures, health }: RelayRow, wall: number) {
  return {
    ...(cooldownMs > 0 ? { cooldown_until: untilText(wall, cooldownMs) } : {}),
    ...(failures > 0 ? { failure_count: failures } : {}),
    health_score: health,
  };
}
