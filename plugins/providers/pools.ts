/**
 * The keep-alive connections to upstreams: one undici Pool per origin, made on first use. A pool whose origin is no
 * longer configured takes no new request, finishes what runs and closes; nothing here ever cuts a running reply but `close`.
 */
import { GatewayError } from "@chela/sdk";
import type { Pool } from "undici";
import { limits } from "./limits.ts";

/** The connections to one origin. */
export interface Wire {
  readonly pool: Pool;
  /** How many have been made so far: a request that saw no new one went over a kept one. */
  made: number;
}

export class Pools {
  readonly #open = new Map<string, Wire>();
  readonly #retiring = new Set<Pool>();
  #closed = false;

  async get(origin: string): Promise<Wire> {
    const known = this.#open.get(origin);
    if (known) return known;
    const { default: PoolClass } = await import("undici/lib/dispatcher/pool.js");
    if (this.#closed)
      throw new GatewayError("SHUTTING_DOWN", 503, "The gateway is closing its upstream connections. Try again.");
    const meanwhile = this.#open.get(origin);
    if (meanwhile) return meanwhile;
    const pool = new PoolClass(origin, { connections: limits.connections, connect: { timeout: limits.connectMs } });
    const wire: Wire = { pool, made: 0 };
    pool.on("connect", () => {
      wire.made += 1;
    });
    this.#open.set(origin, wire);
    return wire;
  }

  /** Retires the pools of all other origins. */
  retain(origins: ReadonlySet<string>): void {
    for (const [origin, { pool }] of this.#open) {
      if (origins.has(origin)) continue;
      this.#open.delete(origin);
      this.#retiring.add(pool);
      void pool.close().then(() => this.#retiring.delete(pool));
    }
  }

  /** How many origins are connected or still finishing. */
  get size(): number {
    return this.#open.size + this.#retiring.size;
  }

  /** Ends everything, running replies too. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...[...this.#open.values()].map(({ pool }) => pool), ...this.#retiring];
    this.#open.clear();
    const reason = new GatewayError("SHUTTING_DOWN", 503, "The gateway closed its upstream connections. Try again.");
    await Promise.all(pools.map((pool) => pool.destroy(reason)));
  }
}
