/**
 * Requests that are being answered, with the credential they came with, and what outlives its request. When the credential
 * goes, a reply that is a stream ends, as a socket would; a whole one still belongs to whoever asked, who may have ended his
 * own key with it.
 */
import { type Credentials, GatewayError, type RouteRequest } from "@chela/sdk";
import type { Gate } from "../auth/gate.ts";
import { type Held, Rechecks, recheckAll, stillHolds } from "../auth/recheck.ts";
import type { Generation } from "../host/compose.ts";
import { Slots } from "../instance/slots.ts";
import type { RequestView } from "./request-view.ts";

interface Open extends Held {
  readonly view: RequestView;
  /** The count of rechecks when it was let in. */
  readonly noted: number;
}

/** What somebody began with a request and may have no longer than his credential. */
interface Begun extends Held {
  readonly ended: () => void;
}

export interface Arrival {
  readonly credentials: Credentials;
  readonly base: string;
}

export class OpenReplies {
  readonly rechecks = new Rechecks();
  readonly #open = new Slots<Open>();
  readonly #begun = new Set<Begun>();

  /** The place to give back when it is answered. */
  put(open: Open): number {
    return this.#open.put(open);
  }

  clear(place: number): void {
    this.#open.clear(place);
  }

  /** `ended` is called once, when the credential of a request under way has gone; unless the returned function was called. */
  outlive(ended: () => void, request: RouteRequest, gate: Gate, current: () => Generation): () => void {
    const { identity, credentials, noted } = this.#of(request, "onCredentialEnd");
    const begun = { identity, credentials, ended };
    this.#begun.add(begun);
    this.rechecks.assert(noted, begun, gate, current).catch(() => this.#end(begun));
    return () => void this.#begun.delete(begun);
  }

  arrival(request: RouteRequest): Arrival {
    const { credentials, view } = this.#of(request, "signing in or out");
    return { credentials, base: view.base };
  }

  /** Ends the streams of somebody who is leaving; how many it were. */
  endThose(which: (request: RouteRequest) => boolean): number {
    return this.#open.items.filter(({ view }) => which(view) && view.revoke()).length;
  }

  #of(request: RouteRequest, who: string): Open {
    const open = this.#open.items.find(({ view }) => view === request);
    if (!open) throw new GatewayError("PLUGIN_MISUSE", 500, `${who} wants a request that is being answered`);
    return open;
  }

  /** How many streams it ended. */
  async recheck(gate: Gate, generation: Generation): Promise<number> {
    this.rechecks.begin();
    const holds = (held: Held) => stillHolds(held, gate, generation);
    const [streams] = await Promise.all([
      recheckAll(this.#open.items, holds, ({ view }) => view.revoke()),
      recheckAll([...this.#begun], holds, (begun) => this.#end(begun)),
    ]);
    return streams;
  }

  #end(begun: Begun): boolean {
    const isThere = this.#begun.delete(begun);
    // By itself: what it throws is its owner's fault, and nothing to whoever asked for the recheck.
    if (isThere) queueMicrotask(begun.ended);
    return isThere;
  }
}
