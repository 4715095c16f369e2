/**
 * The service: which models there are, and the two ways to ask one. Settings are replaced as a whole by `apply`; a request that
 * runs keeps the provider it began with, and a pool nobody names any more closes after its last reply.
 */
import type {
  ForwardReply,
  ForwardRequest,
  Logger,
  ModelCaller,
  ModelEvent,
  ModelInfo,
  ModelRequest,
  Providers,
} from "@chela/sdk";
import { callModel } from "./call.ts";
import { catalogue, unknownModel } from "./catalogue.ts";
import type { AccountsView } from "./credentials/standings.ts";
import { Candidates, type ModelCandidate } from "./failover/candidates.ts";
import { attemptOf, type Begun, toGatewayError, type Walk, walk, withAttempts } from "./failover/failover.ts";
import { aborted } from "./failover/faults.ts";
import { verdictOf } from "./failover/verdict.ts";
import { passesStraight } from "./forward.ts";
import { Pools } from "./http/pools.ts";
import { offline, offlineEvents } from "./offline/stream.ts";
import { type CallHooks, type CallRecord, Records } from "./records.ts";
import { Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
import type { ProviderSpec, Settings } from "./settings.ts";
import { forwardStraight } from "./straight.ts";
import type { RelayChannels } from "./wire/relay/channels.ts";

export interface UpstreamsOptions {
  readonly log: Pick<Logger, "warn" | "debug">;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wall?: () => number;
  readonly hooks?: CallHooks;
  /** The accounts, once somebody has any. */
  readonly accounts?: () => AccountsView | undefined;
  readonly relay?: RelayChannels;
  /** What the operator made the default model; empty: nothing. */
  readonly chosen?: () => string;
  /** Where kept state lies, asked when the first of it is written. */
  readonly keep?: RuntimeOptions["keep"];
}

const silent: CallHooks = { listens: () => false, before: async () => undefined, done: () => undefined };
const somebody: ModelCaller = { purpose: "other" };

export class Upstreams implements Providers {
  readonly #options: UpstreamsOptions;
  readonly #pools = new Pools();
  readonly #records: Records;
  readonly #candidates: Candidates;
  readonly runtime: Runtime;
  #settings: Settings;
  #discovered: readonly ProviderSpec[] = [];
  #models: readonly ModelInfo[] = [];

  constructor(settings: Settings, options: UpstreamsOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#records = new Records(options.hooks ?? silent, options.now);
    const accounts = () => options.accounts?.();
    this.runtime = new Runtime({ ...options, accounts, ...this.#lookups() });
    this.#candidates = new Candidates(this.runtime.ledger, accounts);
    this.#compose();
  }

  #lookups(): Pick<RuntimeOptions, "spec" | "credentials"> {
    return {
      spec: (name) => this.#candidates.spec(name),
      credentials: (name) => this.#candidates.credentials(name),
    };
  }

  apply(settings: Settings): void {
    this.#settings = settings;
    this.#compose();
  }

  /** What was found where nothing is configured. */
  discover(found: readonly ProviderSpec[]): void {
    this.#discovered = found;
    this.#compose();
  }

  models(): readonly ModelInfo[] {
    return this.#models;
  }

  /** The providers that serve, in the order of the config. */
  specs(): readonly ProviderSpec[] {
    return this.#candidates.specs();
  }

  get pools(): Pools {
    return this.#pools;
  }

  primary(): string {
    return this.#options.chosen?.() || (this.#models.find(({ model }) => model !== "*")?.id ?? offline.id);
  }

  fallbacks(): readonly string[] {
    if (this.#settings.fallbacks) return this.#settings.fallbacks;
    const primary = this.primary();
    const others = this.specs().filter((spec) => !primary.startsWith(`${spec.name}/`) && spec.models.length > 0);
    return others.map((spec) => `${spec.name}/${spec.models[0]}`);
  }

  passes(model: string, path: string): boolean {
    if (model === offline.id) return path === "/chat/completions";
    const upstream = this.#candidates.upstream(model);
    return upstream !== undefined && passesStraight(upstream.spec, path);
  }

  async *stream(
    request: ModelRequest,
    signal: AbortSignal,
    caller: ModelCaller = somebody,
  ): AsyncGenerator<ModelEvent> {
    const candidates = this.#candidates.of(request.model, request.fallbacks);
    if (!candidates) throw unknownModel(request.model);
    const record = await this.#records.begin(caller, request.model);
    const deadline = this.#options.now() + this.#settings.requestMs;
    try {
      const begun = await walk({
        ...this.#walk(candidates, signal),
        ask: async (candidate, signed, budget) => {
          const events = this.#events(candidate, request, { signed, ...budget });
          return { events, head: await events.next() };
        },
      });
      record?.answered(begun.candidate, begun.attempts.length);
      yield* this.#rest(begun, { record, signal, deadline });
    } catch (error) {
      record?.end({ error });
      throw error;
    } finally {
      // Left in the middle.
      if (record?.isOpen) record.end({ error: aborted({ id: request.model }) });
    }
  }

  /** What the provider itself says it has; the first credential that may ask does. */
  async upstreamModels(spec: ProviderSpec, signal: AbortSignal): Promise<readonly string[]> {
    const { listModels } = await import("./wire/list.ts");
    const candidates = this.#candidates.listing(spec);
    const { value } = await walk<ModelCandidate, readonly string[]>({
      ...this.#walk(candidates, signal),
      totalMs: spec.timeoutMs,
      ask: (_candidate, signed, budget) =>
        listModels(spec, { pools: this.#pools, signed, signal: budget.signal, relay: this.#options.relay }),
    });
    return value;
  }

  async forward(request: ForwardRequest): Promise<ForwardReply> {
    const caller = request.caller ?? { purpose: request.path === "/embeddings" ? "embeddings" : "straight" };
    const candidates = this.#candidates.of(request.model);
    if (!candidates) throw unknownModel(request.model);
    const record = await this.#records.begin(caller, request.model);
    return forwardStraight(request, { ...this.#walk(candidates, request.signal), pools: this.#pools, record });
  }

  /** For `providers.models` and the health check. */
  status() {
    const configured = this.#settings.providers.length;
    const discovered = configured > 0 ? 0 : this.#discovered.length;
    return { configured, discovered, cooling: this.runtime.cooling(), problems: this.#settings.problems };
  }

  async close(): Promise<void> {
    await Promise.all([this.#pools.close(), this.runtime.close()]);
  }

  #compose(): void {
    const active = this.#settings.providers.length > 0 ? this.#settings.providers : this.#discovered;
    this.#candidates.replace(active);
    this.#models = catalogue(active);
    this.#pools.retain(new Set(active.map((spec) => spec.origin)));
    this.runtime.configure(active);
  }

  #walk(candidates: readonly ModelCandidate[], signal: AbortSignal): Omit<Walk<ModelCandidate, never>, "ask"> {
    const { cooldowns, ledger } = this.runtime;
    const { now, log } = this.#options;
    return {
      candidates,
      cooldowns,
      signal,
      now,
      totalMs: this.#settings.requestMs,
      observer: {
        succeeded: (candidate) => ledger.succeeded(candidate),
        failed(candidate, error, verdict) {
          ledger.failed(candidate, error, verdict);
          const facts = { model: candidate.id, signedAs: candidate.credential.target, reason: verdict.reason };
          const text = `${candidate.id} failed with ${error.code}: ${error.message}`;
          if (verdict.next !== "stop") log.warn(facts, text);
          else log.debug(facts, text);
        },
      },
      answered(candidate, attempts) {
        log.debug({ model: candidate.id, attempts }, `${candidate.id} answered after ${attempts.length} failed`);
      },
    };
  }

  #events(
    candidate: ModelCandidate,
    request: ModelRequest,
    options: Omit<Parameters<typeof callModel>[2], "pools" | "relay">,
  ): AsyncGenerator<ModelEvent> {
    const { upstream } = candidate;
    if (!upstream) return offlineEvents(request, options.signal);
    return callModel(upstream, request, { ...options, pools: this.#pools, relay: this.#options.relay });
  }

  /** Everything after the first sign of an answer: what breaks now is told, and nobody else is asked. */
  async *#rest(
    begun: Begun<ModelCandidate, { events: AsyncGenerator<ModelEvent>; head: IteratorResult<ModelEvent> }>,
    run: { record: CallRecord | undefined; signal: AbortSignal; deadline: number },
  ): AsyncGenerator<ModelEvent> {
    const { candidate, share } = begun;
    const { events, head } = begun.value;
    const began = this.#options.now();
    try {
      yield { type: "start", provider: candidate.provider, model: candidate.id };
      for (let at = head; !at.done; at = await events.next()) {
        if (at.value.type === "done") run.record?.end({ usage: at.value.reply.usage });
        yield at.value;
      }
    } catch (caught) {
      const error = toGatewayError(caught, candidate);
      const { now } = this.#options;
      if (error.code === "ABORTED" || run.signal.aborted) throw error;
      // The request's own time was over: no fault of one who was still talking.
      if (now() < run.deadline) this.runtime.ledger.failed(candidate, error, verdictOf(error));
      throw withAttempts(error, [...begun.attempts, attemptOf(candidate, error, now() - began)]);
    } finally {
      share.end();
      await events.return(undefined);
    }
  }
}
