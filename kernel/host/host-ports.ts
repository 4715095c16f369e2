/** What the host lends to its parts, as narrow views: to the entrances, to a transition, to each plugin's Context. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { GatewayError } from "@chela/sdk";
import type { PluginsSettings } from "../config/gateway-schema.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { DispatchHost } from "../http/exchange.ts";
import { type ContextHost, createContext } from "../instance/context.ts";
import type { StreamsHost } from "../streams.ts";
import { watchPaths } from "../watch.ts";
import type { Host } from "./host.ts";
import { blockedBy } from "./readiness.ts";
import { retool, tellTools } from "./retool.ts";
import type { TransitionHost } from "./transition.ts";

/** How long one release of a stopped plugin may take. */
export const releaseMs = 5000;

/** Uploaded files while their request runs. */
export function uploadDir(stateDir: string): string {
  return join(stateDir, "tmp");
}

export function entrancePorts(host: Host): DispatchHost & StreamsHost {
  const prefix = randomBytes(6).toString("base64url");
  const { logger } = host.options.log;
  let requests = 0;
  return {
    current: host.current,
    settings: () => host.settings(),
    readiness: () => host.readiness(),
    gate: host.gate,
    stats: host.stats,
    report: host.report,
    uploadDir: uploadDir(host.options.stateDir),
    requestId: () => {
      requests += 1;
      return `${prefix}-${requests.toString(36)}`;
    },
    requestLog: (entry: { path: string; status: number; error?: GatewayError | undefined }) => {
      // A probe that is told "not yet" was answered well.
      if (entry.status >= 500 && entry.path !== "/ready") logger.error({ ...entry }, "request failed");
      else logger.debug(entry, "request");
    },
  };
}

/** For a change to the config `next`. */
export function transitionHost(host: Host, next: Snapshot): TransitionHost {
  const context = contextHost(host);
  return {
    load: (manifest) => host.options.catalog.load(manifest.id),
    context: (instance) => {
      host.scopes.add(instance.scope);
      const made = createContext(instance, context);
      return host.options.wrapContext?.(made, instance.id) ?? made;
    },
    configOf: ({ id }) => next.values.get(id) ?? {},
    setupMs: () => (next.values.get("plugins") as PluginsSettings).setupTimeoutMs,
    releaseMs: () => releaseMs,
    report: host.report,
    reasonOf: host.options.log.reasonOf,
    blocked: (plan) => blockedBy(plan, host.manifests()),
    current: host.current,
    idle: () => host.idle,
    commit: (generation, idle) => {
      const before = host.current();
      host.commit(generation, idle, next);
      if (before !== generation) host.events.publish("generation", { id: generation.id });
      tellTools(host.events, before, generation);
    },
    bar: (idle) => host.bar(idle),
    barred: () => host.barred,
    limits: () => ({ drainMs: host.pluginSettings().drainMs, releaseMs }),
    note: (id, state, reason) => host.note(id, state, reason),
  };
}

function contextHost(host: Host): ContextHost {
  const { options } = host;
  return {
    clock: options.clock,
    hooks: () => host.current().hooks,
    services: () => host.current().services,
    logger: (id) => options.log.child(id),
    dataDir: (id) => join(options.stateDir, "data", id),
    emit: (type, payload) => host.events.publish(type, payload),
    fault: host.report,
    watch: (paths, onChange) => {
      const debounceMs = () => host.settings().reload.debounceMs;
      // The queue is busy with the start until then.
      const after = host.ready ? undefined : host.exclusive(async () => undefined);
      return watchPaths(paths, { debounceMs, ...(after && { after }) }, onChange);
    },
    retool: (instance, tools) => host.exclusive(async () => retool(host, instance, tools)),
    fetch: (url, init, signal) => {
      const joined = init?.signal ? AbortSignal.any([init.signal, signal]) : signal;
      return host.fetch(url, { ...init, signal: joined });
    },
  };
}
