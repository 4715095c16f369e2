/**
 * The host: holds the one mutable reference to what is live and the one serial queue through which every change goes.
 * Two hosts in one process do not know of each other.
 */
import { type ChangeResult, GatewayError, type PluginState } from "@chela/sdk";
import { Gate } from "../auth/gate.ts";
import { bindHost, liveAuth, type ResolvedAuth, requireAuthForBind, resolveAuth } from "../auth/settings.ts";
import { authorizeTap, identifyTap } from "../auth/taps.ts";
import { planChanges } from "../config/classify.ts";
import type { GatewaySettings, PluginsSettings } from "../config/gateway-schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { Dispatcher } from "../http/dispatch.ts";
import type { Instance, Manifest } from "../instance/instance.ts";
import { deadline, type Scope } from "../instance/scope.ts";
import { createGuardedFetch } from "../net/fetch.ts";
import { type Listener, type ListenPlace, prepareServer, type Unbound } from "../net/listener.ts";
import { tlsFiles } from "../net/tls.ts";
import { Streams } from "../streams.ts";
import { blame } from "./blame.ts";
import { applySnapshot, quarantine } from "./change.ts";
import { compose, type Generation } from "./compose.ts";
import { EventBus } from "./events.ts";
import { FaultLedger } from "./faults.ts";
import type { HostOptions } from "./host-options.ts";
import { entrancePorts, releaseMs } from "./host-ports.ts";
import { type KernelServices, kernelInstance } from "./kernel-instance.ts";
import { type Idle, kernelId } from "./plan.ts";
import { type Readiness, readiness, stateOf } from "./readiness.ts";
import { retireAll } from "./retire.ts";
import { SerialQueue } from "./serial-queue.ts";
import { Stats } from "./stats.ts";

const safePlugins: ReadonlySet<string> = new Set([kernelId, "api-config", "logs", "webui"]);

export class Host {
  readonly options: HostOptions;
  readonly gate: Gate;
  readonly streams: Streams;
  readonly dispatcher: Dispatcher;
  readonly events: EventBus;
  readonly stats = new Stats();
  readonly faults: FaultLedger;
  /** The one way out; undici is loaded by the first call. */
  readonly fetch = createGuardedFetch({ trust: () => [] });
  readonly startedAt: number;
  readonly barred = new Map<string, Idle>();
  /** Of every instance this host ever made. */
  readonly scopes = new WeakSet<Scope>();
  readonly auth: () => ResolvedAuth;
  /** The config that runs, and the one in the file; they differ while changes are pending. */
  snapshot: Snapshot;
  desired: Snapshot;
  idle: readonly Idle[] = [];
  listener: Listener | undefined;
  ready = false;
  stopping = false;
  onStopRequest: (why: string) => void = () => undefined;
  onListener: (listener: Listener) => Promise<void> = async () => undefined;
  readonly #changes = new SerialQueue();
  readonly #afterStop: (() => Promise<void>)[] = [];
  readonly #kernel: Instance;
  readonly #bootPort: number;
  #generation: Generation;

  constructor(options: HostOptions, services: (host: Host) => KernelServices) {
    this.options = options;
    this.snapshot = options.snapshot;
    this.desired = options.snapshot;
    this.startedAt = Date.now();
    this.auth = liveAuth(
      () => this.settings(),
      () => options.generatedToken,
      options.stateDir,
    );
    this.#bootPort = this.settings().port;
    const { log, clock } = options;
    this.events = new EventBus(clock.now, (error) => log.logger.error({ error }, "an event listener failed"));
    this.faults = new FaultLedger({
      now: clock.now,
      limits: () => this.pluginSettings().quarantine,
      reasonOf: log.reasonOf,
      over: (id, reason) => void this.exclusive(() => quarantine(this, id, reason)).catch(() => undefined),
    });
    this.gate = new Gate({ settings: () => this.settings(), auth: this.auth, now: () => performance.now() });
    const ports = entrancePorts(this);
    this.streams = new Streams(ports);
    this.dispatcher = new Dispatcher(ports);
    this.#kernel = kernelInstance(services(this), [
      { hook: "auth:identify", fn: identifyTap(this.auth) as never },
      { hook: "auth:authorize", fn: authorizeTap() as never },
    ]);
    this.#generation = compose(0, [this.#kernel], "", this.report);
  }

  /** What is live. Read it once per request, frame or hook call. */
  readonly current = (): Generation => this.#generation;

  settings(): GatewaySettings {
    return this.snapshot.values.get("gateway") as GatewaySettings;
  }

  pluginSettings(): PluginsSettings {
    return this.snapshot.values.get("plugins") as PluginsSettings;
  }

  manifests(): readonly Manifest[] {
    return [this.#kernel.manifest, ...this.options.catalog.entries()];
  }

  enabled(manifest: Manifest, snapshot: Snapshot = this.snapshot): boolean {
    if (this.options.safeMode && !safePlugins.has(manifest.id)) return false;
    const settings = snapshot.values.get("plugins") as PluginsSettings;
    return manifest.id === kernelId || (settings.entries[manifest.id]?.enabled ?? manifest.enabledByDefault);
  }

  /** Every change goes through here, one after the other, until the host stops. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.run(() => {
      if (!this.stopping) return work();
      throw new GatewayError("STOPPING", 503, "the gateway is stopping; nothing is changed any more");
    });
  }

  /** Binds the port; `/health` answers from here on, everything else once plugins are up. */
  async listen(): Promise<Listener> {
    const place = this.place(this.snapshot);
    this.listener = await (await this.server(place)).bind(place.port);
    return this.listener;
  }

  /** Where a config wants the gateway to listen. Throws `AUTH_BIND` when it must not. */
  place(snapshot: Snapshot): ListenPlace {
    const settings = snapshot.values.get("gateway") as GatewaySettings;
    const auth = resolveAuth(settings, this.options.generatedToken);
    const { port, host = bindHost(settings, auth) } = this.options.overrides ?? {};
    const warning = requireAuthForBind(auth, host);
    if (warning) this.options.log.logger.warn(warning);
    const tls = tlsFiles(settings.tls);
    const asked = port !== undefined && settings.port === this.#bootPort ? port : settings.port;
    return { host, port: asked, ...(tls && { tls }) };
  }

  /** After credentials may have gone: ends the sockets and streamed replies of whoever could not open them again. */
  async recheck(): Promise<number> {
    const [sockets, replies] = await Promise.all([this.streams.recheck(), this.dispatcher.recheck()]);
    return sockets + replies;
  }

  server(place: ListenPlace): Promise<Unbound> {
    const { headersMs } = this.settings().limits;
    return prepareServer(place, { request: this.dispatcher.handle, upgrade: this.streams.upgrade, headersMs });
  }

  /** Starts every enabled plugin, newcomers that fail are left out. `up` ends before `/ready` says that the gateway serves. */
  async startPlugins(up: () => Promise<void> = async () => {}): Promise<ChangeResult> {
    const result = await this.exclusive(() =>
      applySnapshot(this, this.desired, { who: "host", why: "start", restart: new Set() }),
    );
    await up();
    this.ready = true;
    void this.current().hooks.run("host:ready");
    return result;
  }

  /** Plans and applies anew with the plugins of now; `restart` names those to set up anew whatever changed. */
  renew(
    why: string,
    prepare: () => Promise<void> | void,
    restart: ReadonlySet<string> = new Set(),
  ): Promise<ChangeResult> {
    return this.exclusive(async () => {
      await prepare();
      const next = await this.options.resolveAgain(this.desired);
      return applySnapshot(this, next, { who: "host", why, restart });
    });
  }

  /** An error nobody caught: true when it was a plugin's and the process may go on. */
  uncaught(error: unknown): boolean {
    const owner = blame(error, this.manifests(), this.scopes);
    if (owner !== undefined) this.report(owner, "uncaught error", error);
    return owner !== undefined;
  }

  readonly report = (owner: string, where: string, error: unknown): void => {
    this.options.log.child(owner).error({ error, where }, `plugin fault in ${where}`);
    this.stats.fault(owner);
    if (owner !== kernelId) this.faults.record(owner, where, error);
  };

  bar(idle: Idle): void {
    this.barred.set(idle.id, idle);
    this.note(idle.id, idle.state, idle.reason);
  }

  note(id: string, state: PluginState, reason: string): void {
    this.events.publish("plugin_state", { plugin: id, state, reason });
    const logger = this.options.log.logger;
    if (reason) logger.warn({ plugin_id: id, state, reason }, "plugin state");
    else logger.debug({ plugin_id: id, state }, "plugin state");
  }

  readiness(): Readiness {
    return readiness(this);
  }

  /** Keys whose value in the file waits for a restart. */
  pending(): readonly string[] {
    return planChanges(this.snapshot, this.desired, this.options.sections()).map(({ path }) => path);
  }

  stateOf(id: string): PluginState {
    return stateOf(this, id);
  }

  /** The one assignment: from here on `generation` is what is live, and `snapshot` its config. */
  commit(generation: Generation, idle: readonly Idle[], snapshot: Snapshot): void {
    this.#generation = generation;
    this.idle = idle;
    this.snapshot = snapshot;
  }

  /** Something of the process that ends with the host; at once when that is stopping already. */
  async onStopped(work: () => Promise<void>): Promise<void> {
    await (this.stopping ? work() : this.#afterStop.push(work));
  }

  /** Last words, drain, release; the port is closed first. Idempotent. */
  async stop(why: string): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    const graceMs = this.settings().shutdownGraceMs;
    const until = performance.now() + graceMs;
    const closing = this.listener?.close(graceMs, 0);
    this.events.publish("shutdown", { reason: why });
    const generation = this.current();
    await deadline(generation.hooks.run("host:stopping", why), Math.min(graceMs, 5000), () => undefined);
    await this.#changes.run(async () => {
      const instances = [...this.current().instances.values()];
      const drainMs = Math.max(0, until - performance.now());
      const limits = { drainMs, releaseMs: Math.min(releaseMs, Math.max(graceMs, 1000)), sweep: closing !== undefined };
      await retireAll(instances, limits, this.report);
    });
    await this.streams.closeAll(why);
    // What no deadline of its own has ended by then, such as a TLS handshake that never came, is cut.
    if (closing) await deadline(closing, graceMs + 1000, () => this.listener?.abandon());
    await this.fetch.close();
    for (const work of this.#afterStop) await work();
  }
}
