/**
 * Signals and faults of the process. SIGTERM and SIGINT stop in good order, a second one at once; SIGHUP and SIGUSR1
 * reload the config (and so never open the inspector); an error nobody caught is counted against the plugin it came
 * from, or ends the process with 70.
 */
import { writeSync } from "node:fs";
import type { Host } from "../host/host.ts";
import type { Log } from "../log.ts";

export interface ProcessParts {
  readonly host: Host;
  readonly log: Log;
  reload(why: string): Promise<void>;
}

/** Resolves to the exit code once the host has stopped. */
export function onProcessEvents({ host, log, reload }: ProcessParts): Promise<number> {
  return new Promise((resolve) => {
    let ending = false;
    const end = (why: string, code: number) => {
      if (ending) return;
      ending = true;
      log.logger.info({ why }, "stopping");
      void host
        .stop(why)
        .catch((error: unknown) => log.logger.error({ error }, "the stop was not clean"))
        .then(() => resolve(code));
    };
    const onStop = (signal: NodeJS.Signals) => {
      if (ending) leaveNow(0);
      end(signal, 0);
    };
    const onReload = (signal: NodeJS.Signals) => {
      reload(signal).catch((error: unknown) => log.logger.error({ error }, `reload by ${signal} failed`));
    };
    const onFault = (error: unknown) => {
      if (host.uncaught(error)) return;
      log.logger.error({ error }, "internal fault");
      end("internal fault", 70);
    };
    host.onStopRequest = (why) => end(why, why === "restart" ? 75 : 0);
    process.on("SIGTERM", onStop).on("SIGINT", onStop);
    process.on("SIGHUP", onReload).on("SIGUSR1", onReload);
    process.on("uncaughtException", onFault).on("unhandledRejection", onFault);
    process.on("SIGPIPE", () => undefined);
  });
}

/** The operator asked twice: nothing is waited for. */
function leaveNow(code: number): never {
  writeSync(2, "stopped at once\n");
  process.exit(code);
}
