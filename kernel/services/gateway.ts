/** The `gateway` service: status, figures and the RPC door, read from what is live. */
import { type Gateway, GatewayError, type GatewayStats, type GatewayStatus, type Identity } from "@chela/sdk";
import { applySnapshot } from "../host/change.ts";
import type { Owned } from "../host/compose.ts";
import { healthReport } from "../host/health.ts";
import type { Host } from "../host/host.ts";
import { openapi } from "../http/openapi.ts";
import type { AnyCommand, AnyMethod } from "../instance/instance.ts";
import { didYouMean } from "../nearest.ts";
import { withSignals } from "../signals.ts";

type CallInfo = { identity: Identity; id: string; signal: AbortSignal };

export function gatewayService(host: Host, configPath: string): Gateway {
  return {
    status: () => status(host, configPath),
    stats: () => stats(host),
    health: () => healthReport(host.current(), host.options.log.reasonOf),
    startup: () =>
      [...host.current().instances.values()].flatMap(({ id, startup }) =>
        startup ? [{ id, ...startup, state: host.stateOf(id) }] : [],
      ),
    openapi: () => openapi(host.current(), host.options.version),
    call: (name, params, call) => callMethod(host, name, params, call),
    methods: () =>
      [...host.current().methods.values()].map(({ owner, item }) => ({
        name: item.name,
        access: item.access,
        about: item.about ?? "",
        owner: owner.id,
      })),
    commands: () =>
      [...host.current().commands.values()].map(({ owner, item }) => ({
        name: item.name,
        access: item.access,
        about: item.about,
        owner: owner.id,
        args: item.args ?? {},
      })),
    runCommand: (name, args, call) => runCommand(host, name, args, call),
    panels: () =>
      [...host.current().panels.values()].map(({ owner, item }) => {
        return { icon: "", ...item, owner: owner.id, version: owner.manifest.version };
      }),
    recheckCredentials: () => host.recheck(),
    onCredentialEnd: (ended, request) => host.dispatcher.outlive(ended, request),
    signIn: async (credential, request) => (await import("../auth/sign-in.ts")).signIn(host, credential, request),
    signOut: async (request) => (await import("../auth/sign-in.ts")).signOut(host, request),
    hasCookie: ({ headers }) => String(headers.cookie).includes(`${host.auth().cookieName}=`),
    restart: async ({ full, why }) => {
      const restart = full ? "all" : new Set<string>();
      const { failed } = await host.exclusive(() =>
        applySnapshot(host, host.desired, { who: "host", why, restart, listener: true }),
      );
      if (failed.length === 0) return;
      const reasons = failed.map(({ id, reason }) => `${id}: ${reason}`).join("; ");
      throw new GatewayError("RESTART_FAILED", 500, `not everything was restarted: ${reasons}`, { failed });
    },
    stop: (why) => host.onStopRequest(why),
  };
}

function status(host: Host, configPath: string): GatewayStatus {
  const { listener, options } = host;
  return {
    version: options.version,
    pid: process.pid,
    host: listener?.place.host ?? "",
    port: listener?.port ?? 0,
    url: listener?.url ?? "",
    startedAt: host.startedAt,
    uptimeMs: Date.now() - host.startedAt,
    ready: host.readiness().ready,
    safeMode: Boolean(options.safeMode),
    safeModeReason: options.safeMode ?? "",
    stateDir: options.stateDir,
    configPath,
    authMode: host.auth().mode,
    generation: host.current().id,
    sockets: host.streams.size,
    node: process.version,
  };
}

function stats(host: Host): GatewayStats {
  const hooks = new Map<string, { plugin: string; hook: string; calls: number; errors: number; seconds: number }>();
  for (const instance of host.current().instances.values()) {
    for (const { hook, stats: tap } of instance.contributions.taps) {
      const key = `${instance.id} ${hook}`;
      const row = hooks.get(key) ?? { plugin: instance.id, hook, calls: 0, errors: 0, seconds: 0 };
      row.calls += tap.calls;
      row.errors += tap.errors;
      row.seconds += tap.ms / 1000;
      hooks.set(key, row);
    }
  }
  return host.stats.snapshot([...hooks.values()], host.streams.byStream());
}

async function callMethod(host: Host, name: string, params: unknown, call: CallInfo): Promise<unknown> {
  const generation = host.current();
  const found = generation.methods.get(name);
  if (!found) throw unknown("method", name, generation.methods);
  const { owner, item } = found;
  return inside(host, found, call, async () => {
    const value = item.params ? await owner.validators.check(item.params, params ?? {}, `params of ${name}`) : params;
    return withSignals([call.signal, owner.scope.signal], (signal) =>
      owner.scope.run(() => item.handler(value, { ...call, signal })),
    );
  });
}

async function runCommand(host: Host, name: string, args: unknown, call: CallInfo): Promise<unknown> {
  const generation = host.current();
  const found = generation.commands.get(name);
  if (!found) throw unknown("command", name, generation.commands);
  const { owner, item } = found;
  return inside(host, found, call, async () => {
    const value = item.args ? await owner.validators.check(item.args, args ?? {}, `arguments of ${name}`) : args;
    return withSignals([call.signal, owner.scope.signal], (signal) =>
      owner.scope.run(() => item.run(value, { ...call, signal })),
    );
  });
}

/** Authorised, counted as the owner's work, its fault attributed. */
async function inside(
  host: Host,
  found: Owned<AnyMethod | AnyCommand>,
  call: CallInfo,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { owner, item } = found;
  const generation = host.current();
  owner.scope.enter();
  try {
    await host.gate.authorize(
      call.identity,
      { what: "method", name: item.name, access: item.access, owner: owner.id },
      generation,
    );
    return await owner.scope.orStopped(work());
  } catch (error) {
    if (!GatewayError.is(error)) host.report(owner.id, `method ${item.name}`, error);
    throw error;
  } finally {
    owner.scope.leave();
  }
}

function unknown(what: string, name: string, table: ReadonlyMap<string, unknown>): GatewayError {
  return new GatewayError(
    `${what.toUpperCase()}_UNKNOWN`,
    404,
    `unknown ${what} "${name.slice(0, 80)}".${didYouMean(name.slice(0, 80), table.keys())}`,
  );
}
