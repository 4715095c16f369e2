/**
 * Which of a provider's keys, or accounts, is asked first. `order` is the config's own; the others spread requests over those
 * that do not rest. A choice is noted when it is made: requests that begin together do not all meet the same one.
 */
import type { Ledger } from "../runtime/ledger.ts";
import type { Cooldowns } from "./cooldowns.ts";
import type { Candidate } from "./failover.ts";

export const strategies = ["order", "round_robin", "least_used", "session"] as const;
export type Strategy = (typeof strategies)[number];

/** One of a provider's credentials is at work for a request. */
export interface Lease {
  /** Another one does it after all. */
  moved(to: Candidate): void;
  end(): void;
}

interface Choice {
  readonly strategy: Strategy;
  /** Requests of one session stay with one credential; absent: they belong to none. */
  readonly session: string | undefined;
  /** Whether the first of the order is about to be asked. */
  readonly counts: boolean;
}

interface Use {
  /** Number of the choice that took it last. */
  turn: number;
  running: number;
}

const lowHealth = 50;

export class Spread {
  readonly #cooldowns: Pick<Cooldowns, "idle" | "state">;
  readonly #ledger: Pick<Ledger, "health">;
  /** By the window of a credential with all its models. */
  readonly #uses = new Map<string, Use>();
  #turn = 0;

  constructor(cooldowns: Pick<Cooldowns, "idle" | "state">, ledger: Pick<Ledger, "health">) {
    this.#cooldowns = cooldowns;
    this.#ledger = ledger;
  }

  /** Of one model: ready ones first, keys before accounts, the unwell last of their kind; among equals the strategy decides. */
  arrange<C extends Candidate>(candidates: readonly C[], { strategy, session, counts }: Choice): readonly C[] {
    if (strategy === "order" || candidates.length < 2) return candidates;
    const rows = candidates.map((candidate) => ({
      candidate,
      rank: this.#rank(candidate),
      weight: this.#weight(candidate, strategy, session),
      turn: this.#uses.get(candidate.keys[0])?.turn ?? 0,
    }));
    rows.sort((a, b) => a.rank - b.rank || a.weight - b.weight || a.turn - b.turn);
    const [first] = rows as [(typeof rows)[number]];
    if (counts) this.#use(first.candidate.keys[0]).turn = ++this.#turn;
    return rows.map(({ candidate }) => candidate);
  }

  /** `candidate` works for a request from now on. */
  lease(candidate: Candidate): Lease {
    let held: Use | undefined = this.#use(candidate.keys[0]);
    held.running += 1;
    const end = () => {
      if (held) held.running -= 1;
      held = undefined;
    };
    const moved = (to: Candidate) => {
      const use = this.#use(to.keys[0]);
      if (!held || use === held) return;
      held.running -= 1;
      use.running += 1;
      held = use;
    };
    return { moved, end };
  }

  /** Forgets credentials that are gone; what they still do ends without it. */
  retain(keep: (key: string) => boolean): void {
    for (const key of this.#uses.keys()) if (!keep(key)) this.#uses.delete(key);
  }

  #rank({ keys, credential, provider }: Candidate): number {
    const rests = !this.#cooldowns.idle && keys.some((key) => this.#cooldowns.state(key) === "open");
    const unwell = this.#ledger.health(provider, credential.id) < lowHealth;
    return (rests ? 4 : 0) + (credential.kind === "oauth" ? 2 : 0) + (unwell ? 1 : 0);
  }

  #weight(candidate: Candidate, strategy: Strategy, session: string | undefined): number {
    if (strategy === "least_used") return this.#uses.get(candidate.keys[0])?.running ?? 0;
    return strategy === "session" && session !== undefined ? scatter(`${session}\n${candidate.credential.id}`) : 0;
  }

  #use(key: string): Use {
    let use = this.#uses.get(key);
    if (!use) {
      use = { turn: 0, running: 0 };
      this.#uses.set(key, use);
    }
    return use;
  }
}

/** A number that says nothing but is always the same: the credential with the smallest has the session, and loses it only by leaving. */
function scatter(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** What clients of OpenAI's API call a conversation, for its cache or its user. */
export function conversationOf(fields: Readonly<Record<string, unknown>> = {}): string | undefined {
  const { prompt_cache_key: key, user } = fields;
  return typeof key === "string" ? key : typeof user === "string" ? user : undefined;
}

/** A reply's body that ends the lease with its last piece, also when it is left before its first. */
export function leased(body: AsyncIterable<Uint8Array>, lease: Lease): AsyncIterable<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return {
        async next() {
          try {
            const piece = await pieces.next();
            if (piece.done) lease.end();
            return piece;
          } catch (error) {
            lease.end();
            throw error;
          }
        },
        async return() {
          lease.end();
          await pieces.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
