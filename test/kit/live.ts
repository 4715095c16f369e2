/** A gateway in this process that the command line finds: the real host and its `gateway.json`, stopped with the test. */
import { onTestFinished } from "vitest";
import { acquireGatewayFile } from "../../kernel/process/gateway-file.ts";
import { startHost, type TestHost, type TestHostOptions } from "../../kernel/testing.ts";
import { type CliResult, type MainOptions, runMain } from "./cli.ts";

export interface Live {
  readonly host: TestHost;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command line against it. */
  chela(args: readonly string[], options?: MainOptions): Promise<CliResult>;
}

export async function liveHost(options: TestHostOptions): Promise<Live> {
  const host = await startHost({ port: 0, ...options });
  onTestFinished(() => host.stop());
  const { port } = new URL(host.url);
  const facts = { pid: process.pid, host: "127.0.0.1", port: Number(port), url: host.url, startedAt: Date.now() };
  await acquireGatewayFile(host.stateDir, { ...facts, configPath: host.config.path });
  const env = { CHELA_STATE_DIR: host.stateDir, CHELA_GATEWAY_TOKEN: host.token };
  return {
    host,
    env,
    chela: (args, more = {}) => runMain(args, { ...more, env: { ...env, ...more.env } }),
  };
}
