/** A host with nothing but the accounts of the providers plugin, an OAuth server, and what tests ask of both. */
import { config, definePlugin, type Events, events, files, gateway, need, type Plugin } from "@chela/sdk";
import { onTestFinished } from "vitest";
import { startHost, type TestHost, type TestHostOptions } from "../../../../kernel/testing.ts";
import type { AccountsView, Happening, Standings } from "../../../../plugins/providers/credentials/standings.ts";
import type { OauthAccounts } from "../../../../plugins/providers/oauth/accounts.ts";
import { registerOauth } from "../../../../plugins/providers/oauth/register.ts";
import { ModelsConfig } from "../../../../plugins/providers/schema.ts";
import { freePort } from "../../../kit/free-port.ts";
import { ownProvider } from "../../../simulators/oauth/own-provider.ts";
import {
  clientId,
  type OauthServer,
  type OauthServerOptions,
  redirectUri,
  startOauthServer,
} from "../../../simulators/oauth/server.ts";

export { clientId, freePort, ownProvider, redirectUri };

export async function oauthServer(options: OauthServerOptions = {}): Promise<OauthServer> {
  const server = await startOauthServer(options);
  onTestFinished(() => server.close());
  return server;
}

export interface AccountHost {
  readonly host: TestHost;
  /** Of the instance that was set up last. */
  readonly accounts: OauthAccounts;
  readonly notes: readonly (Happening & { provider: string })[];
  readonly cleared: readonly string[];
  /** Every event that was published. */
  readonly events: Events;
  post(path: string, body: unknown): Promise<{ status: number; text: string; body: Record<string, unknown> }>;
  call(method: string, params: unknown): Promise<Record<string, unknown>>;
  /** The clock that accounts go by, ahead of the machine's. */
  advance(ms: number): void;
}

export interface KitOptions extends Partial<TestHostOptions> {
  readonly providers?: Readonly<Record<string, unknown>>;
}

export async function accountHost({ providers = {}, ...options }: KitOptions = {}): Promise<AccountHost> {
  const made: { accounts?: () => AccountsView | undefined; events?: Events } = {};
  const notes: (Happening & { provider: string })[] = [];
  const cleared: string[] = [];
  let ahead = 0;
  const standings: Standings = {
    of: () => ({ health_score: 100 }),
    refreshed: (provider, { target }) =>
      void notes.push({ provider, kind: "oauth", target, reason: "oauth_refresh_success" }),
    clear: (provider, { id }) => void cleared.push(`${provider} ${id}`),
    note: (provider, happening) => void notes.push({ provider, ...happening }),
  };
  const plugin: Plugin = definePlugin({
    id: "accounts-alone",
    version: "1.0.0",
    host: "^1.0.0",
    section: "models",
    config: ModelsConfig,
    hot: ["*"],
    needs: {
      config: need(config, "^1.0.0"),
      events: need(events, "^1.0.0"),
      files: need(files, "^1.0.0"),
      gateway: need(gateway, "^1.0.0"),
    },
    async setup(ctx) {
      made.events = ctx.use.events;
      const now = () => Date.now() + ahead;
      made.accounts = await registerOauth(ctx as never, { standings, primary: () => "main", now, waitMs: 300 });
    },
  });
  const host = await startHost({ plugins: [plugin], config: { models: { providers } }, ...options });
  onTestFinished(() => host.stop());
  if (!made.accounts || !made.events) throw new Error(`the plugin did not start: ${JSON.stringify(host.logs())}`);
  return {
    host,
    get accounts() {
      return made.accounts?.() as OauthAccounts;
    },
    get events() {
      return made.events as Events;
    },
    notes,
    cleared,
    post: async (path, body) => {
      const reply = await host.request(`/api/provider/oauth/${path}`, { body });
      return {
        status: reply.status,
        text: reply.text,
        body: reply.text.startsWith("{") ? (reply.json() as Record<string, unknown>) : {},
      };
    },
    call: async (method, params) => {
      const identity = { id: "test", name: "test", kind: "token", scopes: ["admin"] } as const;
      const signal = new AbortController().signal;
      return (await host.gateway.call(method, params, { identity, id: "1", signal })) as Record<string, unknown>;
    },
    advance: (ms) => {
      ahead += ms;
    },
  };
}

export const never = new AbortController().signal;
