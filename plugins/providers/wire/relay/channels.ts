/**
 * Which client of the relay carries a request out, and what became of it: a client that failed is passed over for five
 * minutes, a success clears it. The next one is asked only before the first byte of a reply, and never instead of one that
 * was named.
 */
import { BoundedMap, type GatewayError, type Relay, relayFields } from "@chela/sdk";
import type { Answer, Ask } from "../../http/transport.ts";

/** A client as the runtime view shows it. */
export interface RelayRow {
  readonly channel: string;
  readonly connected: boolean;
  readonly connectedAt: number | null;
  readonly lastSeenAt: number | null;
  /** 1 … 100. */
  readonly health: number;
  /** Milliseconds for which it is passed over. */
  readonly cooldownMs: number;
  readonly failures: number;
  /** Milliseconds since the last success; null when there was none. */
  readonly successMsAgo: number | null;
  readonly lastError: string | null;
}

export interface RelayTarget {
  readonly origin: string;
  /** Name of the provider: the channel where nothing else is connected or named. */
  readonly provider: string;
  /** Fields of the request; some may name a channel. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

interface Standing {
  health: number;
  until: number;
  failures: number;
  successAt: number;
  error: string | null;
}

/** Gets told what became of a client that was asked for a provider; `error`: it failed. */
type RelayTold = (provider: string, channel: string, error?: string) => void;

const blank: Standing = { health: 100, until: 0, failures: 0, successAt: Number.NEGATIVE_INFINITY, error: null };
const cooldownMs = 5 * 60_000;
const penalty = 20;
const maxRecords = 256;

export class RelayChannels {
  readonly #relay: () => Relay | undefined;
  readonly #now: () => number;
  readonly #told: RelayTold;
  readonly #records = new BoundedMap<string, Standing>(maxRecords);

  constructor(relay: () => Relay | undefined, now: () => number, told: RelayTold = () => undefined) {
    this.#relay = relay;
    this.#now = now;
    this.#told = told;
  }

  /** Everyone who is connected or has been asked, in the order in which they would be asked. */
  rows(): readonly RelayRow[] {
    const connected = new Map((this.#relay()?.channels() ?? []).map((channel) => [channel.id, channel]));
    return this.#inOrder([...new Set([...connected.keys(), ...this.#records.keys()])]).map((id) => {
      const { health, failures, until, successAt, error } = this.#record(id);
      return {
        channel: id,
        connected: connected.has(id),
        connectedAt: connected.get(id)?.connectedAt ?? null,
        lastSeenAt: connected.get(id)?.lastSeenAt ?? null,
        health,
        failures,
        cooldownMs: Math.max(0, until - this.#now()),
        successMsAgo: Number.isFinite(successAt) ? this.#now() - successAt : null,
        lastError: error,
      };
    });
  }

  /** Forgets what went wrong. */
  clear(): void {
    for (const [channel, { successAt }] of [...this.#records]) this.#records.set(channel, { ...blank, successAt });
  }

  async open(ask: Ask, target: RelayTarget): Promise<Answer> {
    const { openOver } = await import("./answer.ts");
    const relay = this.#relay();
    const { channels, explicit } = this.#choose(target, relay);
    let failed: unknown;
    for (const [index, channel] of channels.entries()) {
      const last = explicit || index === channels.length - 1;
      try {
        const answer = await openOver({ relay, channel, url: `${target.origin}${ask.path}` }, ask);
        const bad = answer.status === 429 || answer.status >= 500;
        if (bad) this.#failed(target, channel, `status ${answer.status}`);
        else this.#succeeded(target, channel);
        if (!bad || last) return answer;
        await answer.return();
      } catch (error) {
        const { code, message } = error as GatewayError;
        if (code === "ABORTED" || ask.signal.aborted) throw error;
        this.#failed(target, channel, message);
        failed = error;
        if (last) break;
      }
    }
    throw failed;
  }

  #choose(
    { provider, extra = {} }: RelayTarget,
    relay: Relay | undefined,
  ): { readonly channels: readonly string[]; readonly explicit: boolean } {
    const named = relayFields.one
      .map((key) => extra[key])
      .find((value) => typeof value === "string" && value.trim() !== "");
    if (typeof named === "string") return { channels: [named.trim().toLowerCase()], explicit: true };
    const listed = relayFields.many.map((key) => names(extra[key])).find((list) => list.length > 0);
    if (listed) return { channels: this.#inOrder(listed), explicit: false };
    const connected = (relay?.channels() ?? []).map(({ id }) => id);
    return { channels: connected.length > 0 ? this.#inOrder(connected) : [provider.toLowerCase()], explicit: false };
  }

  /** Free ones first, then by latest success, health and name. */
  #inOrder(channels: readonly string[]): readonly string[] {
    const now = this.#now();
    const rows = channels.map((id) => ({ id, ...this.#record(id) }));
    rows.sort(
      (a, b) =>
        Number(a.until > now) - Number(b.until > now) ||
        compare(b.successAt, a.successAt) ||
        b.health - a.health ||
        compare(a.id, b.id),
    );
    return rows.map(({ id }) => id);
  }

  #record(channel: string): Standing {
    return this.#records.get(channel) ?? blank;
  }

  #succeeded({ provider }: RelayTarget, channel: string): void {
    this.#records.set(channel, { ...blank, successAt: this.#now() });
    this.#told(provider, channel);
  }

  #failed({ provider }: RelayTarget, channel: string, reason: string): void {
    const known = this.#record(channel);
    const now = this.#now();
    const error = reason.slice(0, 500);
    this.#records.set(channel, {
      ...known,
      health: Math.max(1, known.health - penalty),
      // What rests already rests no longer because it was asked by name.
      until: known.until > now ? known.until : now + cooldownMs,
      failures: known.failures + 1,
      error,
    });
    this.#told(provider, channel, error);
  }
}

function names(value: unknown): readonly string[] {
  const list = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [];
  const texts = list.filter((name): name is string => typeof name === "string");
  return [...new Set(texts.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""))].slice(0, 64);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
