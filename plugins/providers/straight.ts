/** One OpenAI request straight to its upstream, with the credentials of its provider in turn. What the last word was goes back as it came. */
import { type Attempt, type ForwardReply, type ForwardRequest, GatewayError, type Usage } from "@chela/sdk";
import type { ModelCandidate } from "./failover/candidates.ts";
import { type Walk, walk } from "./failover/failover.ts";
import { aborted } from "./failover/faults.ts";
import { type Forwarded, forwardTo } from "./forward.ts";
import type { Pools } from "./http/pools.ts";
import { offlineForward } from "./offline/stream.ts";
import type { CallRecord } from "./records.ts";

export interface StraightOptions extends Omit<Walk<ModelCandidate, ForwardReply>, "ask"> {
  readonly pools: Pools;
  readonly record: CallRecord | undefined;
}

export async function forwardStraight(request: ForwardRequest, options: StraightOptions): Promise<ForwardReply> {
  const { record, pools } = options;
  /** The replies of those who refused: the first of them is the answer when nobody else has one. */
  let refusals: Map<unknown, ForwardReply> | undefined;
  try {
    const begun = await walk<ModelCandidate, ForwardReply>({
      async ask({ upstream }, signed, { signal, totalMs, firstByteMs }) {
        if (!upstream) return watched(offlineForward(request), record);
        const asked = signal === request.signal ? request : { ...request, signal };
        const onEnd = record && ((end: Parameters<CallRecord["end"]>[0]) => record.end(end));
        const answer: Forwarded = await forwardTo(upstream, asked, { pools, signed, totalMs, firstByteMs, onEnd });
        if (!answer.refused) return answer.reply;
        refusals ??= new Map();
        refusals.set(answer.refused, answer.reply);
        throw answer.refused;
      },
      ...options,
    });
    record?.answered(begun.candidate, begun.attempts.length);
    return begun.attempts.length === 0 ? begun.value : withAttempts(begun.value, begun.attempts);
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
