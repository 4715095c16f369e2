/** The order in which credentials are asked: keys before accounts, those that rest after all others (ClawGo §3.2). */
import type { Credential } from "../credentials/credential.ts";
import type { StandingFields } from "../credentials/standings.ts";
import { kindOf } from "./book.ts";

/** Keys in the order of the config, then accounts as they come. */
export type Roster = readonly Credential[];

/** A candidate as ClawGo shows it. */
export interface CandidateRow extends Omit<StandingFields, "last_failure"> {
  readonly kind: "api_key" | "oauth" | "relay";
  /** Absent: nothing is signed. */
  readonly target?: string;
  readonly available: boolean;
  readonly status: "ready" | "cooldown";
}

export function rowsOf(
  roster: Roster,
  look: (credential: Credential) => StandingFields & { readonly ready: boolean },
): readonly CandidateRow[] {
  const rows = roster
    // The place of an account that is not there.
    .filter(({ kind, target }) => kind !== "oauth" || target !== "")
    .map((credential, index) => ({ credential, index, standing: look(credential) }));
  const rank = ({ credential: { kind }, standing: { ready } }: (typeof rows)[number]) =>
    (ready ? 0 : 2) + (kind === "oauth" ? 1 : 0);
  const sorted = rows.sort((a, b) => {
    const ranks = rank(a) - rank(b);
    if (ranks !== 0) return ranks;
    return a.credential.kind === "oauth"
      ? byHealth(a.standing.health_score, b.standing.health_score, a.credential.target, b.credential.target)
      : a.index - b.index;
  });
  return sorted.map(({ credential: { kind, target }, standing: { ready, last_failure: _, ...standing } }) => ({
    kind: kindOf({ kind }),
    ...(target === "" ? {} : { target }),
    available: ready,
    status: ready ? "ready" : "cooldown",
    ...standing,
  }));
}

/** Accounts for a request: the healthier first; whether one rests is the walk's to see. */
export function healthiest(accounts: Roster, health: (id: string) => number): Roster {
  if (accounts.length < 2) return accounts;
  return [...accounts].sort((a, b) => byHealth(health(a.id), health(b.id), a.target, b.target));
}

function byHealth(a: number, b: number, first: string, second: string): number {
  return b - a || (first < second ? -1 : first > second ? 1 : 0);
}
