/** A gateway in a process of its own, as an operator runs it; ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { binary } from "./binary.ts";
import { tempDir } from "./temp.ts";
import { until } from "./until.ts";

export interface GatewayOptions {
  readonly stateDir?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The whole environment, instead of the usual one with `env`. */
  readonly only?: Readonly<Record<string, string>>;
  /** Do not wait for `/ready`. */
  readonly bare?: boolean;
  /** Run by a shell first: `ulimit -f 64`. */
  readonly shell?: string;
  /** Instead of `dist/chela.js`. */
  readonly binary?: string;
  /** Run as this user; only root can. */
  readonly uid?: number | undefined;
}

export interface RunningGateway {
  readonly child: ChildProcess;
  readonly stateDir: string;
  /** Set once it listens. */
  url: string;
  token: string;
  /** All of stdout and stderr so far. */
  output(): { stdout: string; stderr: string };
  fetch(path: string, init?: RequestInit & { token?: string | null }): Promise<Response>;
  signal(name: NodeJS.Signals): void;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const gateway = spawnGateway({ ...options, stateDir: options.stateDir ?? tempDir("gateway") });
  onTestFinished(async () => {
    gateway.signal("SIGKILL");
    await gateway.ended;
  });
  if (!options.bare) await ready(gateway);
  return gateway;
}

/** The same for `beforeAll`: the caller ends it, and removes its state dir. Wait for it with `ready`. */
export function spawnGateway(options: GatewayOptions & { readonly stateDir: string }): RunningGateway {
  const { stateDir } = options;
  const command = [
    process.execPath,
    options.binary ?? binary(),
    "gateway",
    "run",
    "--port",
    "0",
    ...(options.args ?? []),
  ];
  const [file, ...args] = options.shell ? ["sh", "-c", `${options.shell}; exec "$@"`, "sh", ...command] : command;
  const child = spawn(file as string, args, {
    uid: options.uid,
    env: options.only ?? {
      PATH: process.env.PATH,
      HOME: stateDir,
      CHELA_STATE_DIR: stateDir,
      CHELA_DISCOVERY: "off",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    written.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    written.stderr += text;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  const gateway: RunningGateway = {
    child,
    stateDir,
    url: "",
    token: "",
    output: () => ({ ...written }),
    fetch: (path, { token = gateway.token, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set("authorization", `Bearer ${token}`);
      return fetch(`${gateway.url}${path}`, { ...init, headers });
    },
    signal: (name) => child.kill(name),
    ended,
  };
  return gateway;
}

/** Waits for `/ready`, then knows url and token. */
export async function ready(gateway: RunningGateway): Promise<void> {
  await until(
    async () => {
      if (gateway.child.exitCode !== null) throw new Error(`ended: ${gateway.output().stderr}`);
      gateway.url = gatewayUrl(gateway.stateDir);
      return (await fetch(`${gateway.url}/ready`)).status === 200;
    },
    15_000,
    "the gateway to be ready",
  );
  gateway.token = readFileSync(join(gateway.stateDir, "token"), "utf8").trim();
}

export function gatewayUrl(stateDir: string): string {
  const { url } = JSON.parse(readFileSync(join(stateDir, "gateway.json"), "utf8")) as { url: string };
  if (url === "") throw new Error("not listening yet");
  return url;
}
