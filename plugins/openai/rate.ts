/** A reply, or a refusal, that tells the limit of the key that asked. */
import { GatewayError, type RateFacts, Reply, rateHeaders } from "@chela/sdk";

export async function withRate(work: () => unknown, rate: RateFacts): Promise<Reply> {
  const told = rateHeaders(rate);
  try {
    const answer = await work();
    const reply = Reply.is(answer) ? answer : Reply.json(answer);
    const { body, status, headers } = reply;
    return new Reply(body, { status, headers: { ...headers, ...told } });
  } catch (error) {
    if (GatewayError.is(error)) error.headers = { ...told, ...error.headers };
    throw error;
  }
}
