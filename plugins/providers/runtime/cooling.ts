/** Windows that are open, for people. */
import type { Credential } from "../credentials/credential.ts";
import type { Cooling } from "../failover/cooldowns.ts";
import { windowKeys, windowName } from "../failover/window-key.ts";

export interface CoolingRow {
  readonly provider: string;
  /** Absent: the credential rests with all its models. */
  readonly model?: string;
  readonly credential: string;
  readonly reason: string;
  /** Null: until it is changed, refreshed or cleared. */
  readonly seconds: number | null;
  readonly failures: number;
}

export function coolingRows(
  windows: readonly Cooling[],
  credentials: (provider: string) => readonly Credential[],
): readonly CoolingRow[] {
  const rows = windows.map((row) => ({ ...row, ...windowName(row.key) }));
  const off = new Set(rows.flatMap(({ key, model }) => (model === undefined ? [key] : [])));
  // A model rests with its credential: that is told once.
  const told = rows.filter(({ provider, model, credential, reason }) => {
    return model === undefined || reason !== "unauthorized" || !off.has(windowKeys(provider, "", credential)[0]);
  });
  return told.map(({ provider, model, credential, ms, reason, failures }) => {
    const known = credentials(provider).find(({ id }) => id === credential);
    return {
      provider,
      ...(model === undefined ? {} : { model }),
      credential: known?.target ?? "",
      reason,
      seconds: ms === Number.POSITIVE_INFINITY ? null : Math.ceil(ms / 1000),
      failures,
    };
  });
}
