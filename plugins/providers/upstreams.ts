/**
 * The service: which models there are, and the two ways to ask one. Settings are replaced as a whole by `apply`; a request that
 * runs keeps the provider it began with, and a pool nobody names any more closes after its last reply.
 */
import type {
  Cancellation,
  ForwardReply,
  ForwardRequest,
  Logger,
  ModelCaller,
  ModelEvent,
  ModelInfo,
  ModelRequest,
  Providers,
} from "@chela/sdk";
import type { EventBatches } from "./call.ts";
import { catalogue, unknownModel } from "./catalogue.ts";
import type { Signed } from "./credentials/credential.ts";
import type { AccountsView } from "./credentials/standings.ts";
import { Candidates, type ModelCandidate } from "./failover/candidates.ts";
import type { Budget, Walk } from "./failover/failover.ts";
import { Responders } from "./failover/responders.ts";
import { conversationOf, type Lease, leased } from "./failover/spread.ts";
import { Watcher } from "./failover/watching.ts";
import { Pools } from "./http/pools.ts";
import { offline } from "./offline/model.ts";
import { passesStraight } from "./passes.ts";
import { type CallHooks, type CallRecord, Records } from "./records.ts";
import { Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
import type { CallOptions, Upstream } from "./send.ts";
import type { ProviderSpec, Settings } from "./settings.ts";
import { ToolTexts } from "./wire/chat/tool-texts.ts";
import type { ListOptions } from "./wire/list.ts";
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
  readonly onRests?: RuntimeOptions["onRests"];
}

type Asking = typeof import("./asking.ts");

const silent: CallHooks = { listens: () => false, before: async () => undefined, done: () => undefined };
const somebody: ModelCaller = { purpose: "other" };

export class Upstreams implements Providers {
  readonly #options: UpstreamsOptions;
  readonly #pools = new Pools();
  readonly #toolTexts = new ToolTexts();
  readonly #responders = new Responders();
  readonly #records: Records;
  readonly #candidates: Candidates;
  readonly #watcher: Watcher;
  readonly runtime: Runtime;
  #settings: Settings;
  #discovered: readonly ProviderSpec[] = [];
  #asking: Asking | undefined;
  #models: readonly ModelInfo[] = [];

  constructor(settings: Settings, options: UpstreamsOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#records = new Records(options.hooks ?? silent, options.now);
    const accounts = () => options.accounts?.();
    const spec = (name: string) => this.#candidates.spec(name);
    this.runtime = new Runtime({
      ...options,
      accounts,
      spec,
      credentials: (name) => this.#candidates.credentials(name),
    });
    this.#candidates = new Candidates(this.runtime, accounts);
    this.#watcher = new Watcher(this.runtime.ledger, options.log);
    this.#compose();
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
    const candidates = this.#candidates.of(
      request.model,
      request.fallbacks,
      caller.session ?? conversationOf(request.extra),
    );
    if (!candidates) throw unknownModel(request.model);
    const asking = this.#asking ?? (await this.#loaded());
    const lease = this.#candidates.lease(candidates);
    let record: CallRecord | undefined;
    try {
      record = await this.#records.begin(caller, request.model);
      const deadline = this.#options.now() + this.#settings.requestMs;
      const ask = async (candidate: ModelCandidate, signed: Signed, budget: Budget) => {
        const events = await this.#events(asking, candidate, request, { signed, ...budget });
        return { events, head: await events.next() };
      };
      const begun = await asking.walk(this.#walk(candidates, signal, lease), ask);
      record?.answered(begun.candidate, begun.attempts.length);
      const run = { record, signal, deadline, now: this.#options.now, ledger: this.runtime.ledger };
      // Here and nowhere before: each generator that an event passes on its own costs as much as reading it.
      for await (const events of asking.rest(begun, run)) for (const event of events) yield event;
    } catch (error) {
      record?.end({ error });
      throw error;
    } finally {
      lease?.end();
      // Left in the middle.
      if (record?.isOpen) record.end({ error: asking.aborted({ id: request.model }) });
    }
  }

  /** Undefined: there is no such model, or nobody has to be asked for it. */
  upstream(model: string): Upstream | undefined {
    return this.#candidates.upstream(model);
  }

  /** A question beside the calls of models, to a provider or about one of its models; the first credential that may answer does. */
  async aside<T>(
    about: ProviderSpec | string,
    signal: AbortSignal,
    ask: (options: ListOptions) => Promise<T>,
  ): Promise<T> {
    const candidates = typeof about === "string" ? this.#candidates.of(about) : this.#candidates.listing(about);
    if (!candidates) throw unknownModel(String(about));
    const { relay } = this.#options;
    const { walk } = await this.#loaded();
    const totalMs = Math.max(...candidates.map(({ timeoutMs }) => timeoutMs));
    const { value } = await walk<ModelCandidate, T>(
      { ...this.#walk(candidates, signal), totalMs },
      (_, signed, budget) => ask({ pools: this.#pools, signed, signal: budget.signal, relay }),
    );
    return value;
  }

  async forward(request: ForwardRequest): Promise<ForwardReply> {
    const caller = request.caller ?? { purpose: request.path === "/embeddings" ? "embeddings" : "straight" };
    const all = this.#candidates.of(request.model, undefined, caller.session ?? conversationOf(request.body));
    if (!all) throw unknownModel(request.model);
    const candidates = this.#responders.among(all, request.body);
    const { forwardStraight } = this.#asking ?? (await this.#loaded());
    const lease = this.#candidates.lease(candidates);
    try {
      const record = await this.#records.begin(caller, request.model);
      const walk = this.#walk(candidates, request.signal, lease);
      const reply = await forwardStraight(request, { walk, pools: this.#pools, record, responders: this.#responders });
      if (reply.whole) lease?.end();
      return lease && !reply.whole ? { ...reply, body: leased(reply.body, lease) } : reply;
    } catch (error) {
      lease?.end();
      throw error;
    }
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

  #walk(candidates: readonly ModelCandidate[], signal: Cancellation, lease?: Lease): Walk<ModelCandidate> {
    const { cooldowns } = this.runtime;
    const observer = lease ? this.#watcher.leased(lease) : this.#watcher;
    return { candidates, cooldowns, observer, signal, now: this.#options.now, totalMs: this.#settings.requestMs };
  }

  async #loaded(): Promise<Asking> {
    this.#asking = await import("./asking.ts");
    return this.#asking;
  }

  #events(
    { callModel, offlineEvents }: Asking,
    { upstream }: ModelCandidate,
    request: ModelRequest,
    options: Omit<CallOptions, "pools" | "relay" | "toolTexts">,
  ): EventBatches | Promise<EventBatches> {
    if (!upstream) return offlineEvents(request, options.signal);
    const means = { pools: this.#pools, relay: this.#options.relay, toolTexts: this.#toolTexts };
    return callModel(upstream, request, { ...means, ...options });
  }
}
