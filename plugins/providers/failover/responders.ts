/**
 * Which credential had answered with a response that a later request goes on from: nobody else's account knows it. In memory and
 * bounded; where it is not known any more, the upstream's own refusal is the answer.
 */
import { BoundedMap } from "@chela/sdk";
import type { Candidate } from "./failover.ts";

const maxKnown = 10_000;
const headBytes = 4096;
const responseId = /"id"\s*:\s*"(resp_[\w-]{1,200})"/;

export class Responders {
  /** Credential by response. */
  readonly #known = new BoundedMap<string, string>(maxKnown);

  /** `head`: how the reply began. */
  note(head: Buffer, credential: string): void {
    const id = responseId.exec(head.toString("latin1", 0, headBytes))?.[1];
    if (id !== undefined) this.#known.set(id, credential);
  }

  /** Those who know what the request goes on from; all, where none of them is known to. */
  among<C extends Candidate>(candidates: readonly C[], body: Readonly<Record<string, unknown>>): readonly C[] {
    const own = this.#known.get(String(body.previous_response_id));
    const those = own === undefined ? [] : candidates.filter(({ credential }) => credential.id === own);
    return those.length === 0 ? candidates : those;
  }
}
