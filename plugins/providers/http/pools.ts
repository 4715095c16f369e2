/**
 * The keep-alive connections to upstreams: one pool per origin and proxy, made on first use. A pool whose origin is no
 * longer configured takes no new request, finishes what runs and closes; nothing here ever cuts a running reply but `close`.
 */
import { GatewayError } from "@chela/sdk";
import type { Dispatcher } from "undici";
import { limits } from "../limits.ts";

/** The connections to one origin. */
export interface Line {
  readonly origin: string;
  readonly pool: Dispatcher;
  /** How many have been made so far: a request that saw no new one went over a kept one. NaN where nobody counts. */
  made: number;
}

export class Pools {
  readonly #open = new Map<string, Line>();
  readonly #retiring = new Set<Dispatcher>();
  #closed = false;

  /** `proxy`: as it is configured, `http://…`, `socks5://…` or `host:port`. */
  get(origin: string, proxy?: string): Line | Promise<Line> {
    const key = proxy === undefined ? origin : `${origin} ${proxy}`;
    return this.#open.get(key) ?? this.#connect(key, origin, proxy);
  }

  async #connect(key: string, origin: string, proxy?: string): Promise<Line> {
    const line = proxy === undefined ? await direct(origin) : await through(proxy, origin);
    const meanwhile = this.#open.get(key);
    if (meanwhile || this.#closed) void line.pool.destroy().catch(() => undefined);
    if (this.#closed)
      throw new GatewayError("SHUTTING_DOWN", 503, "The gateway is closing its upstream connections. Try again.");
    if (meanwhile) return meanwhile;
    this.#open.set(key, line);
    return line;
  }

  /** Retires the pools of all other origins. */
  retain(origins: ReadonlySet<string>): void {
    for (const [key, { pool, origin }] of this.#open) {
      if (origins.has(origin)) continue;
      this.#open.delete(key);
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

const options = { connections: limits.connections, connect: { timeout: limits.connectMs } };

async function direct(origin: string): Promise<Line> {
  const { default: Pool } = await import("undici/lib/dispatcher/pool.js");
  const pool = new Pool(origin, options);
  const line: Line = { origin, pool, made: 0 };
  pool.on("connect", () => {
    line.made += 1;
  });
  return line;
}

async function through(proxy: string, origin: string): Promise<Line> {
  // The package as a whole: the agent alone lacks the method that opens its tunnel.
  const [{ ProxyAgent }, { parseProxy }] = await Promise.all([import("undici"), import("../oauth/proxy-url.ts")]);
  const uri = parseProxy(proxy);
  if (uri === undefined) return direct(origin);
  return { origin, pool: new ProxyAgent({ uri, connections: limits.connections }), made: Number.NaN };
}
