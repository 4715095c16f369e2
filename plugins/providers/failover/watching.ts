/** Who is told how candidates do: the ledger, the log, and whoever counts what is under way. */
import type { Logger } from "@chela/sdk";
import type { Ledger } from "../runtime/ledger.ts";
import type { Candidate, Walk } from "./failover.ts";
import type { Lease } from "./spread.ts";

export function watching(
  ledger: Ledger,
  log: Pick<Logger, "warn" | "debug">,
  lease: Lease | undefined,
): Pick<Walk<Candidate, never>, "observer" | "answered"> {
  return {
    observer: {
      succeeded(candidate) {
        lease?.moved(candidate);
        ledger.succeeded(candidate);
      },
      failed(candidate, error, verdict) {
        ledger.failed(candidate, error, verdict);
        const facts = { model: candidate.id, signedAs: candidate.credential.target, reason: verdict.reason };
        const text = `${candidate.id} failed with ${error.code}: ${error.message}`;
        if (verdict.next !== "stop") log.warn(facts, text);
        else log.debug(facts, text);
      },
    },
    answered(candidate, attempts) {
      log.debug({ model: candidate.id, attempts }, `${candidate.id} answered after ${attempts.length} failed`);
    },
  };
}
