/**
 * The service: which models there are, and the two ways to ask one. Settings are replaced as a whole by `apply`; a request that
 * runs keeps the provider it began with, and a pool nobody names any more closes after its last reply.
 */
import {
  type ForwardReply,
  type ForwardRequest,
  GatewayError,
  type Logger,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  type Providers,
} from "@chela/sdk";
import { callModel, type Upstream } from "./call.ts";
import { Cooldowns } from "./cooldowns.ts";
import { type Candidate, walk } from "./failover.ts";
import { mayFailOver } from "./faults.ts";
import { forwardTo } from "./forward.ts";
import { offline, offlineEvents, offlineForward } from "./offline/stream.ts";
import { Pools } from "./pools.ts";
import type { ProviderSpec, Settings } from "./settings.ts";

export interface UpstreamsOptions {
  readonly log: Pick<Logger, "warn">;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

export class Upstreams implements Providers {
  readonly #log: Pick<Logger, "warn">;
  readonly #now: () => number;
  readonly #pools = new Pools();
  readonly #cooldowns: Cooldowns;
  #settings: Settings;
  #discovered: readonly ProviderSpec[] = [];
  #specs = new Map<string, ProviderSpec>();
  #models: readonly ModelInfo[] = [];

  constructor(settings: Settings, { log, now }: UpstreamsOptions) {
    this.#log = log;
    this.#now = now;
    this.#cooldowns = new Cooldowns(now);
    this.#settings = settings;
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

  primary(): string {
    return this.#models.find((model) => model.model !== "*")?.id ?? offline.id;
  }

  fallbacks(): readonly string[] {
    if (this.#settings.fallbacks) return this.#settings.fallbacks;
    const primary = this.primary();
    const others = [...this.#specs.values()].filter(
      (spec) => !primary.startsWith(`${spec.name}/`) && spec.models.length > 0,
    );
    return others.map((spec) => `${spec.name}/${spec.models[0]}`);
  }

  stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    return walk({
      candidates: () => this.#candidates(request),
      cooldowns: this.#cooldowns,
      signal,
      totalMs: this.#settings.requestMs,
      now: this.#now,
      onFailure: (attempt) => this.#log.warn({ attempt }, `${attempt.model} failed with ${attempt.code}`),
    });
  }

  async forward(request: ForwardRequest): Promise<ForwardReply> {
    if (request.model === offline.id) return offlineForward(request);
    const upstream = this.#upstream(request.model);
    if (!upstream) throw unknownModel(request.model);
    const key = cooldownKey(upstream);
    try {
      const { reply, refused } = await forwardTo(upstream, request, this.#pools, this.#settings.requestMs);
      if (!refused) this.#cooldowns.succeed(key);
      else if (mayFailOver(refused)) this.#cooldowns.fail(key, refused);
      return reply;
    } catch (error) {
      if (GatewayError.is(error) && mayFailOver(error)) this.#cooldowns.fail(key, error);
      throw error;
    }
  }

  /** For `providers.models` and the health check. */
  status(): {
    configured: number;
    discovered: number;
    cooling: ReturnType<Cooldowns["list"]>;
    problems: Settings["problems"];
  } {
    const configured = this.#settings.providers.length;
    const discovered = configured > 0 ? 0 : this.#discovered.length;
    return { configured, discovered, cooling: this.#cooldowns.list(), problems: this.#settings.problems };
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  #compose(): void {
    const active = this.#settings.providers.length > 0 ? this.#settings.providers : this.#discovered;
    this.#specs = new Map(active.map((spec) => [spec.name, spec]));
    const models = active.flatMap((spec) =>
      [...spec.models, ...(spec.open ? ["*"] : [])].map((model) => info(spec, model)),
    );
    this.#models = [...models, { id: offline.id, provider: offline.provider, model: offline.model, source: "builtin" }];
    this.#pools.retain(new Set(active.map((spec) => spec.origin)));
    const alive = new Set(active.map((spec) => spec.fingerprint));
    this.#cooldowns.retain((key) => alive.has(key.slice(key.lastIndexOf("#") + 1)));
  }

  #upstream(id: string): Upstream | undefined {
    const slash = id.indexOf("/");
    const spec = this.#specs.get(id.slice(0, slash));
    const model = id.slice(slash + 1);
    if (!spec || model === "" || model === "*") return undefined;
    if (!spec.open && !spec.models.includes(model)) return undefined;
    return { id, provider: spec.name, model, secrets: spec.secrets, spec };
  }

  #candidates(request: ModelRequest): readonly Candidate[] {
    const ids = new Set([request.model, ...(request.fallbacks ?? [])]);
    const candidates = [...ids].flatMap((id) => this.#candidate(id, request) ?? []);
    if (candidates[0]?.id !== request.model) throw unknownModel(request.model);
    return candidates;
  }

  #candidate(id: string, request: ModelRequest): Candidate | undefined {
    if (id === offline.id) return { ...offline, key: id, call: (signal) => offlineEvents(request, signal) };
    const upstream = this.#upstream(id);
    if (!upstream) return undefined;
    const call: Candidate["call"] = (signal, totalMs) =>
      callModel(upstream, request, { pools: this.#pools, signal, totalMs });
    return { id, provider: upstream.provider, model: upstream.model, key: cooldownKey(upstream), call };
  }
}

function info(spec: ProviderSpec, model: string): ModelInfo {
  return { id: `${spec.name}/${model}`, provider: spec.name, model, source: spec.source };
}

function cooldownKey(upstream: Upstream): string {
  return `${upstream.id}#${upstream.spec.fingerprint}`;
}

function unknownModel(id: string): GatewayError {
  return new GatewayError(
    "MODEL_UNKNOWN",
    404,
    `The model "${id.slice(0, 200)}" does not exist. GET /v1/models lists those that can be asked.`,
  );
}
