/** A gateway with the relay plugin on a port of its own, and ways to ask it as a provider would. */
import { type Relay, type RelayReply, type RelayRequest, relay } from "@chela/sdk";
import { startHost, type TestHost, type TestSocket } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import plugin from "../../../plugins/relay/index.ts";
import { type ClientOptions, type RelayClient, relayClient } from "../../simulators/relay/client.ts";

export interface Rig {
  readonly host: TestHost;
  readonly relay: Relay;
  ask(request?: Partial<RelayRequest>, channel?: string): Promise<RelayReply>;
  /** A client that carries requests out. */
  client(options?: Partial<ClientOptions>): Promise<RelayClient>;
  /** A client whose every frame the test decides. */
  puppet(path?: string, headers?: Record<string, string>): Promise<TestSocket>;
}

export async function rig(
  settings: Record<string, unknown> = {},
  plugins: Parameters<typeof startHost>[0]["plugins"] = [],
): Promise<Rig> {
  const host = await startHost({ plugins: [plugin, ...plugins], port: 0, config: { relay: settings } });
  onTestFinished(() => host.stop());
  const service = host.service(relay);
  return {
    host,
    relay: service,
    ask: (request = {}, channel = "aistudio") =>
      service.request(channel, {
        method: "GET",
        url: "http://upstream.test/",
        timeoutMs: 60_000,
        signal: new AbortController().signal,
        ...request,
      }),
    client: async (options = {}) => {
      const client = await relayClient({ gateway: host.url, token: host.token, ...options });
      onTestFinished(() => client.ws.terminate());
      return client;
    },
    puppet: (path = "/v1/ws", headers = {}) => host.connect(path, { headers }),
  };
}

export async function read(reply: RelayReply): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of reply.body) pieces.push(piece);
  return Buffer.concat(pieces);
}

export interface Asked {
  readonly id: string;
  readonly type: string;
  readonly payload: Record<string, unknown>;
}
