/** `gateway run`: reads the flags, makes room with `--force`, and hands over to the boot. */
import type { Cli, Handler } from "./cli.ts";
import { type Failure, failureOf, report } from "./failure.ts";
import { resolvePlaces } from "./places.ts";
import { integerOption, textOption } from "./values.ts";

const devPort = 19001;

/** Exit code by error code; the first pattern that fits. */
const exits: readonly (readonly [RegExp, number])[] = [
  [/^(PORT_IN_USE|PORT_DENIED|LISTEN_FAILED|EADDRINUSE)$/, 2],
  [/^AUTH_/, 3],
  [/^STORE_/, 4],
  [/^(CONFIG|STATE|TLS|FILE|PLUGIN|TOKEN)_|^(USAGE|BUSY|STATE_DIR)$|^E[A-Z]+$/, 1],
];

export const run: Handler = async (cli, _args, options) => {
  const dev = options.dev === true;
  const places = resolvePlaces(cli.flags, cli.io, dev);
  const port = integerOption(options.port, "--port", { min: 0, max: 65_535 }) ?? defaultPort(cli, dev);
  if (options.force === true) {
    const { stopOther } = await import("./stop-other.ts");
    await stopOther({ ...cli, places }, port);
  }
  const { runGateway } = await import("../process/boot.ts");
  try {
    return await runGateway({
      stateDir: places.stateDir,
      configPath: places.configPath,
      configNamed: places.configNamed,
      port,
      bind: textOption(options.bind) as "loopback" | "lan" | "auto" | undefined,
      verbose: cli.flags.verbose,
      allowUnconfigured: options.allowUnconfigured === true,
      safeMode: options.safeMode === true,
      dev,
      env: cli.io.env,
    });
  } catch (error) {
    const { json, verbose } = cli.flags;
    report(error, { io: cli.io, json, verbose, print: cli.out.error });
    return exitOf(failureOf(error));
  }
};

function defaultPort(cli: Cli, dev: boolean): number | undefined {
  return dev && !cli.io.env.CHELA_GATEWAY_PORT ? devPort : undefined;
}

/** What is not listed is an internal fault. */
function exitOf(failure: Failure): number {
  return exits.find(([pattern]) => pattern.test(failure.code))?.[1] ?? 70;
}
