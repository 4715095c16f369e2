/**
 * A change of where or how the gateway listens: prepared while the old listener serves, then put into force or taken back
 * as a whole. A new port is bound before the old one is given up; new TLS files are taken over by the listener that is
 * there; TLS on or off goes on with the same socket. Only another host on one and the same port must let go of it first.
 */
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import type { Snapshot } from "../config/snapshot.ts";
import type { Host } from "../host/host.ts";
import type { Listener, ListenPlace } from "./listener.ts";
import { readTls } from "./tls.ts";

export interface ListenerChange {
  /** Resolves when `gateway.json` names the new address too. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** How long an idle connection to a port that is given up may wait for its last request. */
const idleMs = 2000;

const rebindMs = 1000;

/** undefined: nothing to do. `renew` reads the TLS files again though their paths are the same. Throws why it cannot be. */
export async function prepareListener(
  host: Host,
  target: Snapshot,
  renew: boolean,
): Promise<ListenerChange | undefined> {
  const old = host.listener;
  if (!old) return undefined;
  const place = host.place(target);
  const same = JSON.stringify(old.place) === JSON.stringify(place);
  if (same && !(renew && place.tls)) return undefined;
  const material = place.tls && (await readTls(place.tls));
  // 0 is any port: the one we have is as good as another.
  const samePort = place.port === 0 || place.port === old.port;
  if (!samePort) return takeAnother(host, old, place);
  if (place.host !== old.place.host) return takeOver(host, old, place);
  const abort = async () => undefined;
  if (material && old.place.tls) {
    const commit = async () => {
      old.renew(place, material);
      await host.onListener(old);
    };
    return { commit, abort };
  }
  const next = await host.server(place);
  return { commit: () => swap(host, old, next.inherit(old)), abort };
}

async function takeAnother(host: Host, old: Listener, place: ListenPlace): Promise<ListenerChange> {
  const next = await (await host.server(place)).bind(place.port);
  return { commit: () => swap(host, old, next), abort: () => next.close(0, 0) };
}

async function takeOver(host: Host, old: Listener, place: ListenPlace): Promise<ListenerChange> {
  const goBack = async () => {
    try {
      await swap(host, old, await rebind(host, old.place, old.port));
    } catch (error) {
      host.options.log.logger.error({ error }, "nothing listens any more; the process ends to be started again");
      host.onStopRequest("restart");
    }
  };
  old.release();
  try {
    const next = await rebind(host, place, old.port);
    const abort = async () => {
      await next.close(0, 0);
      await goBack();
    };
    return { commit: () => swap(host, old, next), abort };
  } catch (error) {
    await goBack();
    throw error;
  }
}

/** A port just let go of may be another connection's own for a moment. */
async function rebind(host: Host, place: ListenPlace, port: number): Promise<Listener> {
  const until = performance.now() + rebindMs;
  for (;;) {
    try {
      return await (await host.server(place)).bind(port);
    } catch (error) {
      const taken = GatewayError.is(error) && error.code === "PORT_IN_USE";
      if (!taken || performance.now() > until) throw error;
      await pause(20);
    }
  }
}

async function swap(host: Host, old: Listener, next: Listener): Promise<void> {
  host.listener = next;
  host.options.log.logger.info({ url: next.url }, "listening on a new address");
  await host.onListener(next);
  void old.close(host.settings().shutdownGraceMs, idleMs);
  void host.onStopped(async () => old.abandon());
}
