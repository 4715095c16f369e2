/**
 * Watches the config file, honouring `gateway.reload.debounceMs` as it is now: a changed debounce means a new watcher.
 * What was written while nobody watched is read once by hand.
 */
import type { Host } from "./host.ts";
import { type Watching, watchPaths } from "./watch.ts";

export async function watchConfig(
  host: Host,
  path: string,
  reload: () => Promise<void>,
): Promise<{ close(): Promise<void> }> {
  const onError = (error: unknown) => host.options.log.logger.warn({ error }, "the config cannot be watched");
  let debounceMs = host.settings().reload.debounceMs;
  let watching: Watching = watchPaths([path], { debounceMs, onError }, reload);
  const unsubscribe = host.events.subscribe(({ type }) => {
    const now = host.settings().reload.debounceMs;
    if (type !== "config_changed" || now === debounceMs) return;
    debounceMs = now;
    const old = watching;
    watching = watchPaths([path], { debounceMs, onError }, reload);
    void old.close();
  });
  await watching.ready;
  await reload();
  return {
    close: async () => {
      unsubscribe();
      await watching.close();
    },
  };
}
