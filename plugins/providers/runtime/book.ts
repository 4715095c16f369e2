/** What is remembered of one provider: how its credentials do, and the newest hits, errors and changes. */
import type { Credential } from "../credentials/credential.ts";
import type { Happening } from "../credentials/standings.ts";
import { Ring } from "./ring.ts";

/** How one credential does. */
export interface Standing {
  /** 1 … 100. */
  health: number;
  /** Failures since the last success. */
  failures: number;
  /** Reason of the last failure, empty after a success. */
  lastFailure: string;
  /** How often it was asked. */
  requests: number;
}

/** A happening with its time, milliseconds since 1970. */
export interface Mark extends Happening {
  readonly at: number;
}

export class Book {
  readonly standings = new Map<string, Standing>();
  readonly hits: Ring<Mark>;
  readonly errors: Ring<Mark>;
  readonly changes: Ring<Mark>;
  lastSuccess: Mark | undefined;
  /** The order of candidates when it was last looked at. */
  order: string | undefined;
  topChangedAt = 0;
  persist = false;

  constructor(max: number) {
    this.hits = new Ring(max);
    this.errors = new Ring(max);
    this.changes = new Ring(max);
  }

  standing(credentialId: string): Standing {
    let found = this.standings.get(credentialId);
    if (!found) {
      found = { health: 100, failures: 0, lastFailure: "", requests: 0 };
      this.standings.set(credentialId, found);
    }
    return found;
  }

  resize(max: number): void {
    for (const ring of [this.hits, this.errors, this.changes]) ring.resize(max);
  }

  clearHistory(): void {
    for (const ring of [this.hits, this.errors, this.changes]) ring.clear();
    this.lastSuccess = undefined;
    this.topChangedAt = 0;
  }
}

/** Events tell keys, accounts and the relay apart, and nothing else. */
export function kindOf({ kind }: Pick<Credential, "kind">): "api_key" | "oauth" | "relay" {
  return kind === "none" ? "api_key" : kind;
}
