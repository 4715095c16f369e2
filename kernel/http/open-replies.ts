/**
 * Requests that are being answered, with the credential they came with. When that goes, a reply that is a stream ends, as a
 * socket would; a whole one still belongs to whoever asked, who may have ended his own key with it.
 */
import type { Gate } from "../auth/gate.ts";
import { type Held, Rechecks, recheckAll, stillHolds } from "../auth/recheck.ts";
import type { Generation } from "../host/compose.ts";
import { Slots } from "../instance/slots.ts";
import type { RequestView } from "./request-view.ts";

interface Open extends Held {
  readonly view: RequestView;
}

export class OpenReplies {
  readonly rechecks = new Rechecks();
  readonly #open = new Slots<Open>();

  /** The place to give back when it is answered. */
  put(open: Open): number {
    return this.#open.put(open);
  }

  clear(place: number): void {
    this.#open.clear(place);
  }

  /** How many streams it ended. */
  recheck(gate: Gate, generation: Generation): Promise<number> {
    this.rechecks.begin();
    const holds = (held: Held) => stillHolds(held, gate, generation);
    return recheckAll(this.#open.items, holds, ({ view }) => view.revoke());
  }
}
