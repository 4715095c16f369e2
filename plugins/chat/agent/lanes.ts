/** Who may run a turn now: one per session, a bounded number in all, each with a bounded queue in the order of arrival. */
import { GatewayError } from "@chela/sdk";

export interface LaneLimits {
  readonly queued: number;
  readonly parallel: number;
}

type Release = () => void;

/** Turns that may wait for a free place, over all sessions. */
const maxWaiting = 1_024;

export class Lanes {
  readonly #limits: () => LaneLimits;
  readonly #sessions = new Map<string, Semaphore>();
  readonly #all: Semaphore;

  constructor(limits: () => LaneLimits) {
    this.#limits = limits;
    this.#all = new Semaphore(() => ({ places: limits().parallel, waiting: maxWaiting }), "the gateway");
  }

  get running(): number {
    return this.#all.taken;
  }

  get waiting(): number {
    let waiting = this.#all.waiting;
    for (const lane of this.#sessions.values()) waiting += lane.waiting;
    return waiting;
  }

  waitingIn(session: string): number {
    return this.#sessions.get(session)?.waiting ?? 0;
  }

  /**
   * Resolves with the way out. Throws `BUSY` 429 when the queue is full, the signal's reason when it aborts first. `extra`:
   * takes none of the places that all sessions share.
   */
  async enter(session: string | null, signal: AbortSignal, extra = false): Promise<Release> {
    // Before a lane is made: one that nobody entered would stay.
    signal.throwIfAborted();
    const leaveLane = session === null ? undefined : await this.#lane(session, signal);
    if (extra) return leaveLane ?? (() => {});
    try {
      await this.#all.take(signal);
    } catch (error) {
      leaveLane?.();
      throw error;
    }
    return () => {
      this.#all.give();
      leaveLane?.();
    };
  }

  /** The session to oneself, without a turn's place; without a signal however many wait. */
  hold(session: string, signal?: AbortSignal): Promise<Release> {
    return this.#lane(session, signal);
  }

  /** Without a signal nothing ends the wait, and the queue's bound does not count. */
  async #lane(session: string, signal?: AbortSignal): Promise<Release> {
    let lane = this.#sessions.get(session);
    if (!lane) {
      lane = new Semaphore(() => ({ places: 1, waiting: this.#limits().queued }), "this session");
      this.#sessions.set(session, lane);
    }
    const own = lane;
    await own.take(signal);
    return () => {
      own.give();
      if (own.taken === 0 && this.#sessions.get(session) === own) this.#sessions.delete(session);
    };
  }
}

interface Waiter {
  readonly go: () => void;
}

class Semaphore {
  readonly #size: () => { places: number; waiting: number };
  readonly #what: string;
  readonly #queue = new Set<Waiter>();
  #taken = 0;

  constructor(size: () => { places: number; waiting: number }, what: string) {
    this.#size = size;
    this.#what = what;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  take(signal?: AbortSignal): Promise<void> | undefined {
    signal?.throwIfAborted();
    const { places, waiting } = this.#size();
    // The limit may have grown while others wait.
    this.#admit(places);
    if (this.#taken < places) {
      this.#taken += 1;
      return undefined;
    }
    if (signal && this.#queue.size >= waiting) throw busy(this.#what);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue.delete(waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        go: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.add(waiter);
    });
  }

  /** The place goes straight to who waited longest, so nobody overtakes; the limit may have shrunk meanwhile. */
  give(): void {
    this.#taken -= 1;
    this.#admit(this.#size().places);
  }

  #admit(places: number): void {
    while (this.#taken < places) {
      const [next] = this.#queue;
      if (!next) return;
      this.#queue.delete(next);
      this.#taken += 1;
      next.go();
    }
  }
}

function busy(what: string): GatewayError {
  const message = `${what} has too many turns waiting: try again when some have ended`;
  return new GatewayError("BUSY", 429, message, undefined, { headers: { "retry-after": "1" } });
}
