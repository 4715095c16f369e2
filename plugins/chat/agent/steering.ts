/**
 * Messages that arrive while a turn runs and may be heard in it. Each one keeps its place in the session's queue as well: it
 * is answered by the running turn if that hears it before its next model call, else by a turn of its own; never by both.
 */
import type { Identity, Message } from "@chela/sdk";
import type { RequestId } from "../sessions/request-table.ts";
import type { LiveRun } from "./live-run.ts";

/** What somebody said, once it is stored. */
export interface Said {
  readonly text: string;
  readonly user: Message | undefined;
  readonly agent: string;
  /** Sequence number of the message; 0: there is none. */
  readonly seq: number;
}

export class Offer {
  readonly run: LiveRun;
  readonly identity: Identity;
  readonly request: RequestId | undefined;
  readonly #settled = new AbortController();
  #said: Said | undefined;

  constructor(run: LiveRun, identity: Identity, request: RequestId | undefined) {
    this.run = run;
    this.identity = identity;
    this.request = request;
  }

  /** Aborts when the message needs no turn of its own any more. */
  get signal(): AbortSignal {
    return this.#settled.signal;
  }

  get said(): Said | undefined {
    return this.#said;
  }

  /** Stored: from now on it can be heard. */
  ready(said: Said): void {
    this.#said = said;
  }

  /** Heard, given up or refused. */
  settle(reason: unknown): void {
    this.#settled.abort(reason);
  }
}

/** What waits to be heard by one running turn, in the order of arrival. */
export class Inbox {
  readonly #offers: Offer[] = [];
  #identity: Identity | undefined;
  #agent: string | undefined;
  #open = false;

  /** Who answers in this turn. */
  get agent(): string | undefined {
    return this.#agent;
  }

  get pending(): number {
    return this.#offers.length;
  }

  /** The turn has begun, with the rights of `identity`. */
  open(identity: Identity, agent: string): void {
    this.#open = true;
    this.#identity = identity;
    this.#agent = agent;
  }

  /** Its last word is spoken: what waits is for turns of its own. */
  close(): void {
    this.#open = false;
    this.#offers.length = 0;
  }

  /** True when the rights of this turn and of somebody else's message can be joined. */
  takes(identity: Identity): boolean {
    return this.#open && this.#identity !== undefined && weaker(this.#identity, identity) !== undefined;
  }

  add(offer: Offer): void {
    this.#offers.push(offer);
  }

  withdraw(offer: Offer): void {
    const index = this.#offers.indexOf(offer);
    if (index >= 0) this.#offers.splice(index, 1);
  }

  /** Takes what can be heard now; nothing overtakes a message that is still being stored. */
  hear(): Offer[] {
    const heard: Offer[] = [];
    for (let next = this.#offers[0]; next?.said && this.#identity; next = this.#offers[0]) {
      const identity = weaker(this.#identity, next.identity);
      if (!identity) break;
      this.#identity = identity;
      heard.push(next);
      this.#offers.shift();
    }
    return heard;
  }
}

const ranks = { read: 1, write: 2, admin: 3 } as const;

/**
 * Whose rights hold when both have a say: those of the one who may less. Undefined where that cannot be told: two people
 * with the same rank may be limited differently, and the limits of a key that would be passed over must not be escaped.
 */
export function weaker(a: Identity, b: Identity): Identity | undefined {
  const [ra, rb] = [rankOf(a), rankOf(b)];
  if (a.id === b.id && a.kind === b.kind) return rb < ra ? b : a;
  if (ra === rb) return undefined;
  const [less, more] = ra < rb ? [a, b] : [b, a];
  return more.kind === "key" ? undefined : less;
}

function rankOf({ scopes }: Identity): number {
  return Math.max(0, ...scopes.map((scope) => ranks[scope]));
}
