/**
 * The test kit. `startHost` runs the real host on a temporary state dir: in memory, or on a port when asked. Requests
 * and sockets need no port; log lines are objects; the clock can be stepped by hand; the census counts what is owned.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Config,
  type Context,
  type Gateway,
  GatewayError,
  type LogLine,
  type Plugin,
  type Plugins,
  type Service,
} from "@chela/sdk";
import { FakeClock, realClock } from "./clock.ts";
import { type OpenHost, openHost } from "./host/open-host.ts";
import { createLog } from "./log.ts";
import { openCatalog } from "./plugins/catalog.ts";
import { distribution } from "./plugins/dist.ts";
import { MemoryClient, type TestReply, type TestRequest } from "./testing/memory-client.ts";
import { openSocket, type TestSocket } from "./testing/test-socket.ts";
import { hostVersion } from "./version.ts";

export { FakeClock } from "./clock.ts";
export type { TestReply, TestRequest } from "./testing/memory-client.ts";
export type { TestSocket } from "./testing/test-socket.ts";

export interface TestHostOptions {
  /** Plugin objects, or folders of plugins on disk (TypeScript is compiled). */
  readonly plugins: readonly (Plugin | string | URL)[];
  /** What `config.json` holds. Text is written as it is. */
  readonly config?: Readonly<Record<string, unknown>> | string;
  /** Listen on this port of 127.0.0.1; 0 takes a free one. Absent: no port. */
  readonly port?: number;
  /** A state dir to start from; absent: a temporary one, removed at the end. */
  readonly stateDir?: string;
  readonly clock?: "real" | "fake";
  /** The gateway's token. Default `test-token-0123456789abcdef`. */
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Makes the N-th `ctx.*` call (0-based) of one plugin throw: for the N-th failure test. */
  readonly failCall?: { readonly plugin: string; readonly call: number };
  readonly safeMode?: string;
}

export interface TestHost {
  request(path: string, init?: TestRequest): Promise<TestReply>;
  /** A WebSocket without a port. */
  connect(path: string, init?: Pick<TestRequest, "headers" | "token">): Promise<TestSocket>;
  /** `http://127.0.0.1:<port>`, when a port was asked for. */
  readonly url: string;
  readonly token: string;
  readonly stateDir: string;
  readonly config: Config;
  readonly plugins: Plugins;
  readonly gateway: Gateway;
  /** A live service. Throws when nothing provides it. */
  service<T>(service: Service<T>): T;
  /** Every log line so far. */
  logs(): readonly LogLine[];
  /** What is owned now, by kind, all plugins together. */
  census(): Readonly<Record<string, number>>;
  /** Only with `clock: "fake"`. */
  readonly clock: FakeClock;
  /** How many `ctx.*` calls the plugin of `failCall` made. */
  calls(): number;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const defaultToken = "test-token-0123456789abcdef";

export async function startHost(options: TestHostOptions): Promise<TestHost> {
  const keep = options.stateDir !== undefined;
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), "chela-test-")));
  const cleanUp = async () => void (keep || (await rm(stateDir, { recursive: true, force: true })));
  try {
    return await startIn(stateDir, options, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function startIn(stateDir: string, options: TestHostOptions, cleanUp: () => Promise<void>): Promise<TestHost> {
  const { config, failCall, token = defaultToken } = options;
  const configPath = join(stateDir, "config.json");
  await mkdir(stateDir, { recursive: true });
  if (config !== undefined)
    await writeFile(configPath, typeof config === "string" ? config : JSON.stringify(config, null, 2));
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const fake = options.clock === "fake" ? new FakeClock() : undefined;
  const counter = { calls: 0 };
  const opened = await openHost({
    stateDir,
    configPath,
    env: options.env ?? {},
    catalog: await testCatalog(options.plugins, stateDir),
    installer: noInstaller,
    clock: fake ?? realClock,
    log: createLog({ level: "debug", destination }),
    generatedToken: token,
    ...(options.port === undefined ? {} : { overrides: { port: options.port } }),
    ...(options.safeMode === undefined ? {} : { safeMode: options.safeMode }),
    wrapContext: (context, id) => (id === failCall?.plugin ? failing(context, failCall.call, counter) : context),
  });
  try {
    if (options.port !== undefined) await opened.host.listen();
    await opened.host.startPlugins();
  } catch (error) {
    await opened.host.stop("the start failed");
    throw error;
  }
  return testHost(opened, { stateDir, token, lines, fake, cleanUp, calls: () => counter.calls });
}

interface Running {
  readonly stateDir: string;
  readonly token: string;
  readonly lines: readonly LogLine[];
  readonly fake: FakeClock | undefined;
  readonly cleanUp: () => Promise<void>;
  readonly calls: () => number;
}

function testHost({ host, config, plugins, gateway }: OpenHost, running: Running): TestHost {
  const { stateDir, token, lines, fake, cleanUp, calls } = running;
  const client = new MemoryClient({ request: host.dispatcher.handle, upgrade: host.streams.upgrade }, token);
  const end = async () => {
    await host.stop("test over");
    await cleanUp();
  };
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending ??= end();
    return ending;
  };
  return {
    request: (path, init) => client.request(path, init),
    connect: (path, init) => client.connect(path, init),
    get url() {
      return host.listener?.url ?? "";
    },
    token,
    stateDir,
    config,
    plugins,
    gateway,
    service: (service) => liveService(host.current().instances.values(), service),
    logs: () => lines,
    census: () => census(host.current().instances.values()),
    get clock() {
      if (!fake) throw new Error('start the host with clock: "fake"');
      return fake;
    },
    calls,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A WebSocket over a port, for hosts in other processes. */
export function connectTo(url: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  return openSocket(url, { headers });
}

async function testCatalog(plugins: TestHostOptions["plugins"], stateDir: string) {
  const folders = plugins.filter((plugin) => typeof plugin === "string" || plugin instanceof URL);
  const paths = folders.map((folder) => (typeof folder === "string" ? folder : fileURLToPath(folder)));
  const inMemory = plugins.filter((plugin): plugin is Plugin => typeof plugin !== "string" && !(plugin instanceof URL));
  const sdkDir = paths.length === 0 ? undefined : (await distribution(import.meta.url)).sdkDir;
  return openCatalog({ builtins: [], stateDir, hostVersion, plugins: inMemory, paths, ...(sdkDir ? { sdkDir } : {}) });
}

const noInstaller = {
  install: () =>
    Promise.reject(
      new GatewayError("NO_INSTALLER", 501, "the test host installs nothing; hand it the plugin in `plugins`"),
    ),
  uninstall: () => Promise.reject(new GatewayError("NO_INSTALLER", 501, "the test host uninstalls nothing")),
  revert: () => Promise.resolve(null),
  sourceOf: () => Promise.reject(new GatewayError("NO_INSTALLER", 501, "the test host updates nothing")),
  outdated: () => Promise.resolve([]),
};

function liveService<T>(
  instances: Iterable<{ contributions: { services: ReadonlyMap<string, { implementation: unknown }> } }>,
  service: Service<T>,
): T {
  for (const { contributions } of instances) {
    const found = contributions.services.get(service.id);
    if (found) return found.implementation as T;
  }
  throw new Error(`no running plugin provides "${service.id}"`);
}

function census(
  instances: Iterable<{ id: string; scope: { census(): Record<string, number> } }>,
): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { scope } of instances) {
    for (const [kind, count] of Object.entries(scope.census())) total[kind] = (total[kind] ?? 0) + count;
  }
  return total;
}

/** Counts every call of a Context's functions and makes the N-th throw. */
function failing(context: Context<unknown>, at: number, counter: { calls: number }): Context<unknown> {
  return new Proxy(context, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const call = counter.calls;
        counter.calls += 1;
        if (call === at) throw new Error(`call ${at} (${String(name)}) fails on purpose`);
        return (value as (...rest: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
