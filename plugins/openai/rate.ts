/** A reply that tells the limit of the key that asked. */
import { type RateFacts, Reply, rateHeaders } from "@chela/sdk";

export function withRate(answer: unknown, rate: RateFacts): Reply {
  const reply = Reply.is(answer) ? answer : Reply.json(answer);
  const { body, status, headers } = reply;
  return new Reply(body, { status, headers: { ...headers, ...rateHeaders(rate) } });
}
