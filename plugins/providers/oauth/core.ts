/** All of the accounts but their entrances: made when a provider with accounts is configured, or when somebody asks for one. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config, Context, Files, Gateway, Health, Need } from "@chela/sdk";
import type { Standings } from "../credentials/standings.ts";
import { fieldsOf } from "../fields.ts";
import type { ModelsSection } from "../schema.ts";
import { AccountFiles } from "./account-files.ts";
import { OauthAccounts } from "./accounts.ts";
import { Office } from "./office.ts";
import { Roster } from "./roster.ts";
import { Scan } from "./scan.ts";
import { lastingFetch } from "./transport.ts";

type Needs = {
  readonly config: Need<Config, false>;
  readonly files: Need<Files, false>;
  readonly gateway: Need<Gateway, false>;
};
export type OauthContext = Context<ModelsSection, Needs>;

export interface OauthOptions {
  readonly standings: Standings;
  /** Name of the provider that a request without one means. */
  readonly primary: () => string;
  /** What a provider has instead of accounts. */
  readonly relays?: (provider: string) => readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly now?: () => number;
  /** How long a request waits for somebody to confirm a login. Default 25 s. */
  readonly waitMs?: number;
}

export interface Core {
  readonly accounts: OauthAccounts;
  readonly office: Office;
  readonly fieldsOf: typeof fieldsOf;
  readonly readText: (path: string) => Promise<string>;
  health(): Health;
  /** The plugin has started, or its config has changed: from now on tokens are renewed. */
  run(): Promise<void>;
  /** Nothing new begins, then what runs ends. */
  close(): Promise<void>;
}

export function makeCore(ctx: OauthContext, options: OauthOptions): Core {
  const { standings, primary, relays, now = Date.now, waitMs = 25_000 } = options;
  const { log } = ctx;
  const { env } = process;
  const files = new AccountFiles(join(ctx.use.gateway.status().stateDir, "auth"), ctx.use.files);
  const roster = new Roster(files, () => ctx.config.providers ?? {}, env, now);
  const fetch: Context["fetch"] = (url, init) => ctx.fetch(url, init);
  const emit = (type: string, payload: Record<string, unknown>) => {
    // A renewal may end after the plugin was told to stop.
    if (!ctx.signal.aborted) ctx.emit(type, payload);
  };
  const accounts = new OauthAccounts({ roster, fetch: lastingFetch, log, now, standings, emit });
  const office = new Office({ accounts, config: ctx.use.config, fetch, env, now, standings, primary, relays, waitMs });
  const scan = new Scan(accounts, log, now);
  return {
    accounts,
    office,
    fieldsOf,
    readText: (path) => readFile(path, "utf8"),
    health: () => healthOf(accounts),
    run: async () => {
      accounts.open();
      scan.start();
    },
    close: async () => {
      await scan.stop();
      await office.close();
      await accounts.close();
    },
  };
}

/** Files that are no accounts and accounts that are at their end are for people to see. */
function healthOf(accounts: OauthAccounts): Health {
  const { roster } = accounts;
  const providers = roster.providers();
  const all = new Set(providers.flatMap((provider) => roster.of(provider)));
  const disabled = [...all].filter(({ session }) => session.disabled);
  const problems = providers.length === 0 ? [] : roster.problems();
  const invalid = problems.map(({ file, reason }) => ({ file, reason }));
  const troubles = roster.troubles();
  return {
    ok: invalid.length === 0 && disabled.length === 0 && troubles.length === 0,
    ...(troubles.length === 0 ? {} : { troubles }),
    accounts: all.size,
    disabled: disabled.map(({ target, session }) => ({ account: target, reason: session.disable_reason })),
    invalid,
  };
}
