/** Everything after the first sign of an answer: what breaks now is told, and nobody else is asked. */
import type { ModelEvent } from "@chela/sdk";
import type { EventBatches } from "./call.ts";
import type { ModelCandidate } from "./failover/candidates.ts";
import { attemptOf, type Begun, toGatewayError, withAttempts } from "./failover/failover.ts";
import { verdictOf } from "./failover/verdict.ts";
import type { CallRecord } from "./records.ts";
import type { Ledger } from "./runtime/ledger.ts";

interface Run {
  readonly record: CallRecord | undefined;
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly now: () => number;
  readonly ledger: Pick<Ledger, "failed">;
}

export async function* rest(
  begun: Begun<ModelCandidate, { events: EventBatches; head: Awaited<ReturnType<EventBatches["next"]>> }>,
  run: Run,
): AsyncGenerator<readonly ModelEvent[]> {
  const { candidate, share } = begun;
  const { events, head } = begun.value;
  const began = run.now();
  try {
    yield [{ type: "start", provider: candidate.provider, model: candidate.id }];
    for (let at = head; !at.done; at = await events.next()) {
      const last = at.value.at(-1);
      if (last?.type === "done") run.record?.end({ usage: last.reply.usage });
      yield at.value;
    }
  } catch (caught) {
    const error = toGatewayError(caught, candidate);
    if (error.code === "ABORTED" || run.signal.aborted) throw error;
    // The request's own time was over: no fault of one who was still talking.
    if (run.now() < run.deadline) run.ledger.failed(candidate, error, verdictOf(error));
    throw withAttempts(error, [...begun.attempts, attemptOf(candidate, error, run.now() - began)]);
  } finally {
    share.end();
    await events.return(undefined);
  }
}
