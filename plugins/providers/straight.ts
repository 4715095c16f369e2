/** One OpenAI request straight to its upstream, with the credentials of its provider in turn. What the last word was goes back as it came. */
import { type Attempt, type ForwardReply, type ForwardRequest, GatewayError, type Usage } from "@chela/sdk";
import type { ModelCandidate } from "./failover/candidates.ts";
import { type Ask, type Walk, walk } from "./failover/failover.ts";
import { aborted } from "./failover/faults.ts";
import type { Responders } from "./failover/responders.ts";
import { type Forwarded, forwardTo } from "./forward.ts";
import type { Pools } from "./http/pools.ts";
import { offlineForward } from "./offline/stream.ts";
import type { CallRecord, Ended } from "./records.ts";

export interface StraightOptions {
  readonly walk: Walk<ModelCandidate>;
  readonly pools: Pools;
  readonly record: CallRecord | undefined;
  readonly responders: Responders;
}

export async function forwardStraight(request: ForwardRequest, options: StraightOptions): Promise<ForwardReply> {
  const { record, pools, responders } = options;
  /** The replies of those who refused: the first of them is the answer when nobody else has one. */
  let refusals: Map<unknown, ForwardReply> | undefined;
  let begun = false;
  /** How it ended, where that was known before who had answered. */
  let early: Ended | undefined;
  const onEnd = (end: Ended) => {
    if (begun) record?.end(end);
    else early = end;
  };
  try {
    const ask: Ask<ModelCandidate, ForwardReply> = async (candidate, signed, { signal, totalMs, firstByteMs }) => {
      const { upstream, credential } = candidate;
      if (!upstream) return watched(offlineForward(request), record);
      const asked = signal === request.signal ? request : { ...request, signal };
      const told = record ? onEnd : undefined;
      const answer: Forwarded = await forwardTo(upstream, asked, { pools, signed, totalMs, firstByteMs, onEnd: told });
      if (answer.head && request.path === "/responses") responders.note(answer.head, credential.id);
      if (!answer.refused) return answer.reply;
      refusals ??= new Map();
      refusals.set(answer.refused, answer.reply);
      throw answer.refused;
    };
    const { candidate, value, attempts } = await walk(options.walk, ask);
    begun = true;
    record?.answered(candidate, attempts.length);
    if (early) record?.end(early);
    return attempts.length === 0 ? value : withAttempts(value, attempts);
  } catch (error) {
    record?.end({ error });
    const reply = GatewayError.is(error) ? refusals?.get(error.cause) : undefined;
    if (reply) return withAttempts(reply, (error as GatewayError).details?.attempts as readonly Attempt[]);
    throw error;
  }
}

/** Who was tried before, or all of them, in a header: the body is the upstream's own. */
function withAttempts(reply: ForwardReply, attempts: readonly Attempt[]): ForwardReply {
  const tried = attempts.map(({ model, code }) => `${model} ${code}`);
  const value = tried
    .join(", ")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 2000);
  return { ...reply, headers: { ...reply.headers, "x-chela-attempts": value } };
}

/** The offline model's reply, told when it has ended. */
function watched({ usage, ...reply }: ReturnType<typeof offlineForward>, record: CallRecord | undefined): ForwardReply {
  return record ? { ...reply, body: told(reply, { usage, record }) } : reply;
}

async function* told(
  { body, model }: ForwardReply,
  { usage, record }: { readonly usage: Usage | null; readonly record: CallRecord },
): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncGenerator<Uint8Array>;
    record.end({ usage });
  } catch (error) {
    record.end({ error });
    throw error;
  } finally {
    // Left in the middle.
    if (record.isOpen) record.end({ error: aborted({ id: model }) });
  }
}
