/**
 * The life of the gateway process: lock, config, host, port, plugins, signals, end. It throws a GatewayError when it
 * cannot start (the command line maps its code to an exit code) and resolves to the exit code when it was stopped.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Config, type Gateway, GatewayError } from "@chela/sdk";
import { generatedToken } from "../auth/token-file.ts";
import { realClock } from "../clock.ts";
import { ensureStateDir } from "../config/locate.ts";
import { sweepDrafts, sweepOlder } from "../disk/drafts.ts";
import type { Host } from "../host/host.ts";
import { uploadDir } from "../host/host-ports.ts";
import { type OpenHost, openHost } from "../host/open-host.ts";
import { createLog, type Log } from "../log.ts";
import { openCatalog } from "../plugins/catalog.ts";
import { distribution } from "../plugins/dist.ts";
import { hostVersion } from "../version.ts";
import { BootCount } from "./boot-count.ts";
import { acquireGatewayFile, type GatewayFile } from "./gateway-file.ts";
import { onProcessEvents } from "./process-events.ts";
import { watchConfig } from "./watch-config.ts";

export interface RunOptions {
  readonly stateDir: string;
  readonly configPath: string;
  /** The file was named by flag or environment, so it must exist. */
  readonly configNamed: boolean;
  readonly port?: number | undefined;
  readonly bind?: "loopback" | "lan" | "auto" | undefined;
  readonly verbose: boolean;
  readonly allowUnconfigured: boolean;
  readonly safeMode: boolean;
  readonly dev: boolean;
  readonly env: NodeJS.ProcessEnv;
}

const bindHosts = { loopback: "127.0.0.1", lan: "0.0.0.0", auto: undefined } as const;

export async function runGateway(options: RunOptions): Promise<number> {
  const { stateDir, configPath } = options;
  await ensureStateDir(stateDir);
  const lock = await acquireGatewayFile(stateDir, {
    pid: process.pid,
    host: "",
    port: 0,
    url: "",
    startedAt: Date.now(),
    configPath,
  });
  const log = createLog({ level: options.verbose ? "debug" : "info", destination: 2 });
  try {
    return await serve(options, lock, log);
  } finally {
    await lock.release().catch(unwritten(log, lock.path));
    await log.flush();
  }
}

/** For files that the gateway keeps for itself: without them it serves and ends just as well. */
function unwritten(log: Log, file: string): (error: unknown) => void {
  return (error) => log.logger.warn({ error, file }, "a file of the gateway's own cannot be written");
}

async function serve(options: RunOptions, lock: GatewayFile, log: Log): Promise<number> {
  const { stateDir } = options;
  const token = await generatedToken(stateDir);
  if (token.warning) log.logger.warn(token.warning);
  log.redact([token.token]);
  const boots = await BootCount.open(stateDir, unwritten(log, "boot.json"));
  const safeMode = options.safeMode
    ? "safe mode was asked for (--safe-mode); start without it to leave"
    : boots.verdict(Date.now());
  const opened = await open(options, log, token.token, safeMode);
  const { host } = opened;
  const ended = onProcessEvents({ host, log, reload: (why) => reload(opened, why) });
  try {
    await host.listen();
    await publish(host, lock, log, token.created ? token.token : undefined);
    if (safeMode) log.logger.error(safeMode);
    await boots.begin(Date.now());
    // Who is told that the gateway is ready may kill it at once; that is no crash of the boot.
    await host.startPlugins(() => boots.succeeded());
    failOnStore(host);
    await afterReady(opened, options, log);
  } catch (error) {
    // What came up already may hold children, files and sockets.
    await host.stop("the start failed").catch((fault: unknown) => log.logger.error({ error: fault }, "stop"));
    throw error;
  }
  const exitCode = await ended;
  if (exitCode === 70) await boots.crashed(Date.now());
  else await boots.stopped();
  return exitCode;
}

async function open(options: RunOptions, log: Log, token: string, safeMode: string): Promise<OpenHost> {
  const { stateDir, configPath, env } = options;
  const dist = await distribution(import.meta.url);
  const catalog = await openCatalog({
    builtins: dist.builtins,
    sdkDir: dist.sdkDir,
    stateDir,
    hostVersion,
    owner: true,
  });
  for (const warning of catalog.warnings()) log.logger.warn(warning);
  const install = async () => await import("../plugins/install.ts");
  const registry = async () => await import("../plugins/outdated.ts");
  const host = bindHosts[options.bind ?? "auto"];
  return openHost({
    stateDir,
    configPath,
    env,
    catalog,
    installer: {
      install: async (source, tell) =>
        (await install()).installPlugin(source, {
          stateDir,
          hostVersion,
          sdkDir: dist.sdkDir,
          builtins: dist.builtins,
          tell,
        }),
      sourceOf: async (id) => (await registry()).sourceOf(stateDir, id),
      outdated: async () => (await registry()).outdatedPlugins(stateDir),
      uninstall: async (id) =>
        void (await (await install()).uninstallPlugin(id, { stateDir, builtins: dist.builtins })),
      revert: async (id) => (await install()).revertPlugin(id, stateDir),
    },
    clock: realClock,
    log,
    generatedToken: token,
    overrides: {
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(host === undefined ? {} : { host }),
    },
    ...(safeMode ? { safeMode } : {}),
  });
}

/** Tells the world where it is; the URL with the token is printed once, on the run that made a token that counts. */
async function publish(host: Host, lock: GatewayFile, log: Log, newToken: string | undefined): Promise<void> {
  const tell = async () => {
    const { listener } = host;
    if (!listener) return;
    const { certificate, place, port, url } = listener;
    await lock.update({ host: place.host, port, url, certificate });
  };
  await tell();
  host.onListener = () => tell().catch(unwritten(log, lock.path));
  const url = host.listener?.url ?? "";
  const everywhere = /^(?:0\.0\.0\.0|::)$/.test(host.listener?.place.host ?? "");
  const where = everywhere ? `${url} and on every address of this machine` : url;
  log.logger.info({ url, version: hostVersion, pid: process.pid }, `Chela listens on ${where}`);
  const { mode, chosen } = host.auth();
  if (newToken && mode === "token" && !chosen)
    process.stdout.write(
      `\n  Address with the token: ${url}/?token=${newToken}\n  (shown once; the token is kept in ${join(host.options.stateDir, "token")})\n\n`,
    );
}

/** A store that cannot be opened ends the process: going on would lose what clients were told is kept. */
function failOnStore(host: Host): void {
  const causes = [...host.barred.values()].map(({ cause }) => cause);
  const down = causes.find((cause) => cause?.code.startsWith("STORE_"));
  if (down) throw new GatewayError(down.code, 500, down.message);
}

async function reload({ config }: OpenHost, why: string): Promise<void> {
  await config.reload(why);
}

/** What the first request does not need: watching the config. What changed before the watcher saw it is read once. */
async function afterReady({ host, config, gateway }: OpenHost, options: RunOptions, log: Log): Promise<void> {
  log.logger.info(startupLine(gateway), "ready");
  if (!options.allowUnconfigured && !gateway.status().safeMode) await sayUnconfigured(config, options, log);
  const watching = await watchConfig(host, options.configPath, async () => {
    await config
      .reload("file")
      .catch((error: unknown) => log.logger.error({ error }, "the config file was not applied"));
  });
  await host.onStopped(() => watching.close());
  const sweeping = [sweepDrafts(options.stateDir), sweepOlder(uploadDir(options.stateDir), host.startedAt)];
  await Promise.all(sweeping).catch(unwritten(log, options.stateDir));
}

/** Nothing configured is a start all the same; whoever meant to configure something gets to know. */
async function sayUnconfigured(config: Config, { configNamed, configPath }: RunOptions, log: Log): Promise<void> {
  if (configNamed && (await stat(configPath).catch(() => null)) === null)
    log.logger.warn(`the config file ${configPath} does not exist; defaults apply. Check --config and CHELA_CONFIG`);
  const { value } = config.get("models.providers", "merged");
  if (Object.keys((value ?? {}) as object).length === 0)
    log.logger.info(
      "no model provider is configured: what is found on this machine answers, else the built-in offline model; see: chela call providers.models",
    );
}

function startupLine(gateway: Gateway): Record<string, unknown> {
  const plugins = Object.fromEntries(gateway.startup().map(({ id, ms }) => [id, Math.round(ms * 10) / 10]));
  return { plugins, uptime_ms: Math.round(process.uptime() * 1000) };
}
