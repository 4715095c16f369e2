/** Who is told how candidates do: the ledger, the log, and whoever counts what is under way. */
import type { Attempt, GatewayError, Logger } from "@chela/sdk";
import type { Candidate, Observer } from "./failover.ts";
import type { Lease } from "./spread.ts";
import type { Verdict } from "./verdict.ts";

type Told = Pick<Observer<Candidate>, "succeeded" | "failed">;

/** One for all requests. */
export class Watcher implements Observer<Candidate> {
  readonly #ledger: Told;
  readonly #log: Pick<Logger, "warn" | "debug">;

  constructor(ledger: Told, log: Pick<Logger, "warn" | "debug">) {
    this.#ledger = ledger;
    this.#log = log;
  }

  succeeded(candidate: Candidate): void {
    this.#ledger.succeeded(candidate);
  }

  failed(candidate: Candidate, error: GatewayError, verdict: Verdict): void {
    this.#ledger.failed(candidate, error, verdict);
    const facts = { model: candidate.id, signedAs: candidate.credential.target, reason: verdict.reason };
    const text = `${candidate.id} failed with ${error.code}: ${error.message}`;
    if (verdict.next !== "stop") this.#log.warn(facts, text);
    else this.#log.debug(facts, text);
  }

  answered(candidate: Candidate, attempts: readonly Attempt[]): void {
    this.#log.debug({ model: candidate.id, attempts }, `${candidate.id} answered after ${attempts.length} failed`);
  }

  /** For a request whose credential is counted as at work. */
  leased(lease: Lease): Observer<Candidate> {
    return {
      succeeded: (candidate) => {
        lease.moved(candidate);
        this.succeeded(candidate);
      },
      failed: (candidate, error, verdict) => this.failed(candidate, error, verdict),
      answered: (candidate, attempts) => this.answered(candidate, attempts),
    };
  }
}
