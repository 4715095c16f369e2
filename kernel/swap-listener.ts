/**
 * A change of where or how the gateway listens: prepared while the old listener serves, then put into force or taken back
 * as a whole. A new port is bound before the old one is given up; new TLS files are taken over by the listener that is
 * there; only another host, or TLS on or off, on one and the same port must let go of it first.
 */
import type { Snapshot } from "./config/snapshot.ts";
import type { Host } from "./host.ts";
import type { Listener, ListenPlace } from "./listener.ts";
import { readTls } from "./tls.ts";

export interface ListenerChange {
  commit(): void;
  abort(): Promise<void>;
}

/** How long an idle connection to a port that is given up may wait for its last request. */
const idleMs = 2000;

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
  if (material && old.place.tls && samePort && place.host === old.place.host) {
    const commit = () => {
      old.renew(place, material);
      host.onListener(old);
    };
    return { commit, abort: async () => undefined };
  }
  return samePort ? takeOver(host, old, place) : takeAnother(host, old, place);
}

async function takeAnother(host: Host, old: Listener, place: ListenPlace): Promise<ListenerChange> {
  const next = await host.bind(place);
  return { commit: () => swap(host, old, next), abort: () => next.close(0, 0) };
}

async function takeOver(host: Host, old: Listener, place: ListenPlace): Promise<ListenerChange> {
  const goBack = async () => swap(host, old, await host.bind(old.place, old.port));
  old.release();
  try {
    const next = await host.bind(place, old.port);
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

function swap(host: Host, old: Listener, next: Listener): void {
  host.listener = next;
  host.options.log.logger.info({ url: next.url }, "listening on a new address");
  host.onListener(next);
  void old.close(host.settings().shutdownGraceMs, idleMs);
  void host.onStopped(async () => old.abandon());
}
