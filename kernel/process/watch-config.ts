/** Watches the config file, honouring `gateway.reload.debounceMs` as it is now. What was written before is read once by hand. */
import type { Host } from "../host/host.ts";
import { type Watching, watchPaths } from "../watch.ts";

export async function watchConfig(
  host: Host,
  path: string,
  reload: () => Promise<void>,
): Promise<Pick<Watching, "close">> {
  const watching = watchPaths(
    [path],
    {
      debounceMs: () => host.settings().reload.debounceMs,
      onError: (error) => host.options.log.logger.warn({ error }, "the config cannot be watched"),
    },
    reload,
  );
  await watching.ready;
  await reload();
  return watching;
}
